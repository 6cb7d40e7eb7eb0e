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
}

export type MinutesDoc = MinutesVersion & { sections: MinutesSection[] }
export type BlockerCode = 'gaps' | 'uncertain_speakers' | 'unclear'

export interface Minutes {
  record: MinutesDoc | null
  summary: MinutesDoc | null
  versions: MinutesVersion[]
  blockers: { code: BlockerCode; count: number }[]
  audit_head: { number: number; hash: string }
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

const despite = (revision: number, reason?: string): object => ({ revision, ...(reason ? { despite_gaps_reason: reason } : {}) })

export const minutes = (http: Http, cid: string) => {
  const path = `${pathOf(cid)}/minutes`
  const of = (id: string): string => `${path}/${encodeURIComponent(id)}`
  return {
    all: (kept: Kept<Minutes> | null = null) => http.look<Minutes>(path, {}, kept),
    make: (kind: MinutesKind) => http.send<MinutesDoc>('POST', `${path}/${kind}`),
    edit: (id: string, revision: number, sections: Pick<MinutesSection, 'key' | 'text'>[]) => http.send<MinutesDoc>('PATCH', of(id), { revision, sections }),
    review: (id: string, revision: number, despiteGapsReason?: string) => http.send<MinutesDoc>('POST', `${of(id)}/review`, despite(revision, despiteGapsReason)),
    approve: (id: string, revision: number, despiteGapsReason?: string) => http.send<MinutesDoc>('POST', `${of(id)}/approve`, despite(revision, despiteGapsReason)),
    reopen: (id: string, revision: number) => http.send<MinutesDoc>('POST', `${of(id)}/reopen`, { revision }),
    passages: (section: string, kind: MinutesKind, words: string) => http.get<{ items: Passage[] }>(`${path}/passages`, { section, kind, words }),
    file: (format: 'docx' | 'pdf', kind: MinutesKind, version?: number) => http.download(`${path}.${format}`, { kind, version }),
  }
}

export type MinutesApi = ReturnType<typeof minutes>
