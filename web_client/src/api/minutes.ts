/** Minutes (会议记录, 会议纪要) over REST: their sections, their states, what stands in the way, and the files. */
import type { Http, Kept } from './http'
import { pathOf } from './preparing'
import type { GapState, Segment } from './transcript'

/** `record`: 会议记录, made from everything; `summary`: 会议纪要, written from it. */
export type MinutesKind = 'record' | 'summary'
export type MinutesState = 'draft' | 'reviewed' | 'approved'

export interface MinutesSection {
  key: string
  /** empty: paragraphs without a heading of their own */
  heading: string
  /** paragraphs, one a line */
  text: string
  /** the agenda item that it is about */
  source: string | null
}

/** What is printed on approved minutes. */
export interface Approval {
  by: string
  at_wall_ms: number
  head_number: number
  head_hash: string
  gaps: { name: string; from_ms: number; to_ms: number; state: GapState; note: string }[]
  despite_gaps_reason: string
  despite_outdated_reason: string
}

/** Under what approved minutes are printed, whatever became of it since. */
export interface Letterhead {
  title: string
  organization: string | null
  template_sha256: string | null
}

export interface MinutesVersion {
  id: string
  kind: MinutesKind
  version: number
  state: MinutesState
  revision: number
  updated_by: string
  updated_at_ms: number
  reviewed_by: string | null
  reviewed_at_ms: number | null
  /** why it was submitted although gaps were open */
  gaps_reason: string
  approval: Approval | null
  letterhead: Letterhead | null
}

export type MinutesDoc = MinutesVersion & { sections: MinutesSection[] }
export type BlockerCode = 'gaps' | 'outdated' | 'confidential' | 'uncertain_speakers' | 'unclear'

/** `kind`: the document that it concerns, null for both */
export interface Blocker {
  code: BlockerCode
  count: number
  kind: MinutesKind | null
}

/** Why all the same: for gaps in the transcript, and for what changed since a record was made. */
export interface Reasons {
  gaps?: string
  outdated?: string
}

export interface Minutes {
  record: MinutesDoc | null
  summary: MinutesDoc | null
  versions: MinutesVersion[]
  blockers: Blocker[]
  audit_head: { number: number; hash: string }
}

/** Sections as they stood before somebody wrote something else, or had the draft made anew. */
export interface EarlierText {
  /** in which they stood last */
  revision: number
  written_by: string
  written_at_ms: number
  replaced_by: string
  replaced_at_ms: number
  sections: MinutesSection[]
}

/** `cues`: words in it that say why it matters. */
export interface Passage {
  segment: Segment
  item_title: string | null
  cues: string[]
}

/** Sections that are a word and what it is, not a heading with paragraphs below it. */
export const FIELDS: ReadonlySet<string> = new Set(['name', 'topic', 'time', 'place', 'chair', 'present', 'attending', 'excused', 'unseen', 'recorder'])
/** Filled in by hand, on paper. */
export const SIGNATURES: ReadonlySet<string> = new Set(['review', 'signature'])

const despite = (revision: number, { gaps, outdated }: Reasons): object => ({
  revision,
  ...(gaps ? { despite_gaps_reason: gaps } : {}),
  ...(outdated ? { despite_outdated_reason: outdated } : {}),
})

export const minutes = (http: Http, cid: string) => {
  const path = `${pathOf(cid)}/minutes`
  const of = (id: string): string => `${path}/${encodeURIComponent(id)}`
  return {
    all: (kept: Kept<Minutes> | null = null) => http.look<Minutes>(path, {}, kept),
    /** `revision`: of the draft that it takes the place of */
    make: (kind: MinutesKind, revision?: number) => http.send<MinutesDoc>('POST', `${path}/${kind}`, revision === undefined ? {} : { revision }),
    edit: (id: string, revision: number, sections: Pick<MinutesSection, 'key' | 'text'>[]) => http.send<MinutesDoc>('PATCH', of(id), { revision, sections }),
    review: (id: string, revision: number, reasons: Reasons = {}) => http.send<MinutesDoc>('POST', `${of(id)}/review`, despite(revision, reasons)),
    approve: (id: string, revision: number, reasons: Reasons = {}) => http.send<MinutesDoc>('POST', `${of(id)}/approve`, despite(revision, reasons)),
    reopen: (id: string, revision: number) => http.send<MinutesDoc>('POST', `${of(id)}/reopen`, { revision }),
    /** the newest first; `after`: the `next` of the page before */
    earlier: (id: string, after: number | null = null) => http.get<{ items: EarlierText[]; next: number | null }>(`${of(id)}/earlier`, after === null ? {} : { after }),
    passages: (section: string, kind: MinutesKind, words: string) => http.get<{ items: Passage[] }>(`${path}/passages`, { section, kind, words }),
    file: (format: 'docx' | 'pdf', kind: MinutesKind, version?: number) => http.download(`${path}.${format}`, { kind, version }),
  }
}

export type MinutesApi = ReturnType<typeof minutes>
