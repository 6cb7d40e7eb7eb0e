/** Files made from the recordings after the end: the program as one file, a person, a clip. */
import type { Http } from './http'
import { pathOf } from './preparing'

export type ExportState = 'queued' | 'running' | 'done' | 'failed'
export type ExportReason = 'disk_full' | 'disk_failed' | 'nothing_recorded' | 'unreadable' | 'worker_ended'

export interface Export {
  id: string
  kind: 'program' | 'person' | 'clip'
  /** participant, agenda item or turn; null for the program */
  subject: string | null
  title: string
  media_type: string
  state: ExportState
  /** 0 to 100 */
  progress: number
  reason: ExportReason | null
  from_ms: number
  duration_ms: number
  size_bytes: number
  sha256: string | null
  /** empty: made by itself */
  requested_by: string
  requested_at_ms: number
  finished_at_ms: number | null
}

export type ExportWish = { kind: 'program' } | { kind: 'person'; participant_id: string; sound_only: boolean } | { kind: 'clip'; item_id: string }

export const exporting = (http: Http, cid: string) => {
  const path = `${pathOf(cid)}/exports`
  const of = (id: string): string => `${path}/${encodeURIComponent(id)}`
  return {
    page: (limit: number, after: string | null) => http.get<{ items: Export[]; next: string | null }>(path, { limit, after }),
    make: (wish: ExportWish) => http.send<Export>('POST', path, wish),
    piece: (id: string, from: number, to: number, stop: AbortSignal) => http.piece(`${of(id)}/file`, from, to, stop),
    /** for good; what is still being made is given up */
    remove: (id: string) => http.send<undefined>('DELETE', of(id)),
  }
}
