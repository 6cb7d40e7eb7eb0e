/** The recorded files over REST: the list page by page, a file piece by piece, deletion. */
import type { Http } from './http'
import { pathOf } from './preparing'

export type FileState = 'recording' | 'done' | 'broken'

export interface Recording {
  id: string
  participant_id: string
  /** of the participant, when it was recorded */
  name: string
  /** a source of a track, or `program` */
  source: string
  /** which of several cameras; often empty */
  label: string
  codec: string
  /** program time */
  started_at_ms: number
  /** length, size and hash are known at the end */
  duration_ms: number
  size_bytes: number
  sha256: string | null
  state: FileState
  created_at_ms: number
}

export interface RecordingPage {
  items: Recording[]
  /** `after` of the next page */
  next: string | null
}

export const recordings = (http: Http, cid: string) => {
  const path = `${pathOf(cid)}/recordings`
  return {
    page: (limit: number, after: string | null) => http.get<RecordingPage>(path, { limit, after }),
    piece: (id: string, from: number, to: number, stop: AbortSignal) => http.piece(`${path}/${encodeURIComponent(id)}/file`, from, to, stop),
    remove: (id: string) => http.send<undefined>('DELETE', `${path}/${encodeURIComponent(id)}`),
  }
}
