/** The transcript (转写稿) over REST: segments, their revisions, search, terms, gaps, sound and files. Times are program time in ms. */
import type { Http } from './http'
import type { Role } from './messages'
import { pathOf } from './preparing'
import type { SecondPass } from './second-pass'

/** text, from, to, and how sure the engine was: nothing is hidden by that */
export type SpokenWord = [text: string, startMs: number, endMs: number, confidence: number]

export interface SpeakerLabel {
  name: string
  role: Role
  venue: string | null
  title: string | null
  /** false: a room's microphone of which nobody has said yet who spoke into it */
  is_certain: boolean
}

export interface Segment {
  id: string
  /** whose track it was */
  participant_id: string
  speaker: SpeakerLabel
  start_ms: number
  end_ms: number
  text: string
  engine: string
  item_id: string | null
  turn_id: string | null
  /** places, in characters, of what nobody said or wrote: punctuation put at pauses */
  automatic: number[]
  revision: number
  is_edited: boolean
  is_unclear: boolean
  is_confidential: boolean
  /** better text of the second pass, until somebody takes or refuses it */
  proposal: string | null
  /** what the engine said, and when: not in brief lists */
  raw?: string | null
  words?: SpokenWord[] | null
}

export type WholeSegment = Segment & { raw: string; words: SpokenWord[] }

export type RevisionKind = 'edited' | 'speaker' | 'split' | 'joined' | 'marked' | 'replaced' | 'terms' | 'second_pass' | 'restored'

/** What was done to a segment: the state before and after it. */
export interface Revision {
  segment_id: string
  /** that it made */
  revision: number
  kind: RevisionKind
  before: string
  after: string
  speaker_before: string
  speaker_after: string
  by_name: string
  at_wall_ms: number
  reason: string
}

export type SpeakerChoice = { participant_id: string } | { invitee_id: string } | { name: string; role: Role }

export interface SegmentEdit {
  text?: string
  speaker?: SpeakerChoice
  is_unclear?: boolean
  is_confidential?: boolean
  reason?: string
}

export interface Term {
  wrong: string
  right: string
}

/** `revision` is named by whoever writes another list instead of this one */
export interface TermList {
  items: Term[]
  revision: number
}

export type GapState = 'waiting' | 'running' | 'failed' | 'lost' | 'waived'

/** `participant_id`: whose microphone, or the consultation's own id: of all of them. */
export interface Gap {
  participant_id: string
  name: string
  from_ms: number
  to_ms: number
  state: GapState
  /** why there is no text; empty: it waits for its turn, or was not recorded */
  reason: string
  /** what people say of it */
  note: string
}

export type CaptionState = 'off' | 'no_model' | 'starting' | 'on' | 'late' | 'trouble' | 'paused'

export interface TranscriptState {
  model: { engine: string; name: string; reason: string }
  state: CaptionState
  lag_ms: number
  gaps: Gap[]
  jobs: { waiting: number; running: number; done_ms: number; total_ms: number }
  second_pass?: SecondPass
}

export interface Found {
  id: string
  /** places in characters */
  at: number[]
}

/** a segment of a consultation that the caller may see */
export interface FoundElsewhere {
  consultation: { id: string; title: string }
  segment: Segment
}

/** Told to desks: what became of segments, by whom. */
export interface TranscriptChanged {
  segments: Segment[]
  removed: string[]
  /** who did it; empty for what was just said */
  by: string
}

/** Told to desks: where somebody else's caret is; without a segment nowhere any more. */
export interface TranscriptEditing {
  segment_id: string | null
  /** in characters */
  at: number | null
  name: string
  session: string
}

export interface SegmentPage {
  items: Segment[]
  next: string | null
}

export const TEXT_FILES = ['txt', 'srt', 'vtt', 'json'] as const
export const PAPER_FILES = ['docx', 'pdf', 'xlsx'] as const
export type TranscriptFile = (typeof TEXT_FILES)[number] | (typeof PAPER_FILES)[number]

/** as many as one answer holds */
export const PAGE = 5000

export const transcripts = (http: Http, cid: string) => {
  const path = `${pathOf(cid)}/transcript`
  const of = (id: string): string => `${path}/${encodeURIComponent(id)}`
  return {
    page: (after: string | null) => http.get<SegmentPage>(path, { brief: 1, limit: PAGE, after }),
    one: (id: string) => http.get<WholeSegment>(of(id)),
    revisions: (id: string) => http.get<{ items: Revision[] }>(`${of(id)}/revisions`),
    edit: (id: string, revision: number, edit: SegmentEdit) => http.send<Segment>('PATCH', of(id), { revision, ...edit }),
    split: (id: string, revision: number, at: number) => http.send<{ items: [Segment, Segment] }>('POST', `${of(id)}/split`, { revision, at }),
    join: (id: string, revision: number, nextRevision: number) => http.send<Segment>('POST', `${of(id)}/join`, { revision, next_revision: nextRevision }),
    restore: (id: string, revision: number, to: number) => http.send<Segment>('POST', `${of(id)}/restore`, { revision, to }),
    proposal: (id: string, revision: number, accept: boolean) => http.send<Segment>('POST', `${of(id)}/proposal`, { revision, accept }),
    find: (q: string) => http.get<{ items: Found[] }>(`${path}/find`, { q }),
    replace: (find: string, replace: string, segments: { id: string; revision: number }[]) =>
      http.send<{ items: Segment[]; conflicts: string[] }>('POST', `${path}/replace`, { find, replace, segments }),
    state: () => http.get<TranscriptState>(`${path}/state`),
    gap: (gap: Pick<Gap, 'participant_id' | 'from_ms' | 'to_ms'>, action: 'recognise' | 'waive', note?: string) =>
      http.send<unknown>('POST', `${path}/gaps`, { ...gap, action, ...(note ? { note } : {}) }),
    /** `fromMs`: program time of its beginning */
    sound: async (id: string): Promise<{ blob: Blob; fromMs: number | null }> => {
      const { blob, said } = await http.downloadWith(`${of(id)}/sound`, 'X-Program-Time-Ms')
      return { blob, fromMs: said === null ? null : Number(said) }
    },
    file: (format: TranscriptFile, marksUnclear: boolean) => http.download(`${path}.${format}`, { unclear: marksUnclear ? 'mark' : null }),
    terms: () => http.get<TermList>(`${pathOf(cid)}/terms`),
    setTerms: (items: readonly Term[], revision: number) => http.send<TermList>('PUT', `${pathOf(cid)}/terms`, { items, revision }),
    importTerms: (file: File) => http.upload<{ items?: Term[] }>(`${pathOf(cid)}/terms/import`, file, { name: file.name }),
  }
}

export const searchAll = (http: Http, q: string, after: string | null) =>
  http.get<{ items: FoundElsewhere[]; next?: string | null }>('/transcripts/search', { q, after })

export type TranscriptApi = ReturnType<typeof transcripts>
