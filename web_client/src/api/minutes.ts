/** Minutes (会议记录, 会议纪要) over REST: their sections, their states, what stands in the way, and the files. */
import type { Http } from './http'
import { pathOf } from './preparing'
import type { Segment } from './transcript'

/** `record`: 会议记录, made from everything; `summary`: 会议纪要, written from it. */
export type MinutesKind = 'record' | 'summary'
export type MinutesState = 'draft' | 'reviewed' | 'approved'

export interface MinutesSection {
  key: string
  heading: string
  text: string
  /** where it comes from */
  source?: string | null
}

export interface MinutesDoc {
  id: string
  kind: MinutesKind
  version: number
  state: MinutesState
  revision: number
  sections: MinutesSection[]
  updated_by: string
  updated_at_ms: number
  approved_by?: string | null
  approved_at_ms?: number | null
}

export interface MinutesVersion {
  id: string
  kind: MinutesKind
  version: number
  state: MinutesState
}

export type BlockerCode = 'gaps' | 'uncertain_speakers' | 'unclear'

export interface Minutes {
  record: MinutesDoc | null
  summary: MinutesDoc | null
  versions: MinutesVersion[]
  blockers: { code: BlockerCode; count: number }[]
  audit_head: string | null
}

export interface Passage {
  segment: Segment
}

const despite = (revision: number, reason?: string): object => ({ revision, ...(reason ? { despite_gaps_reason: reason } : {}) })

export const minutes = (http: Http, cid: string) => {
  const path = `${pathOf(cid)}/minutes`
  const of = (id: string): string => `${path}/${encodeURIComponent(id)}`
  return {
    all: () => http.get<Minutes>(path),
    make: () => http.send<MinutesDoc>('POST', `${path}/record`),
    edit: (id: string, revision: number, sections: Pick<MinutesSection, 'key' | 'text'>[]) => http.send<MinutesDoc>('PATCH', of(id), { revision, sections }),
    review: (id: string, revision: number, despiteGapsReason?: string) => http.send<MinutesDoc>('POST', `${of(id)}/review`, despite(revision, despiteGapsReason)),
    approve: (id: string, revision: number, despiteGapsReason?: string) => http.send<MinutesDoc>('POST', `${of(id)}/approve`, despite(revision, despiteGapsReason)),
    reopen: (id: string, revision: number) => http.send<MinutesDoc>('POST', `${of(id)}/reopen`, { revision }),
    passages: (section: string) => http.get<{ items: Segment[] }>(`${path}/passages`, { section }),
    file: (format: 'docx' | 'pdf', kind: MinutesKind, version?: number) => http.download(`${path}.${format}`, { kind, version }),
  }
}

export type MinutesApi = ReturnType<typeof minutes>
