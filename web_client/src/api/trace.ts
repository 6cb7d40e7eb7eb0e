/** The trace (全程留痕) over REST. */
import type { Http } from './http'
import { pathOf } from './preparing'

export interface TraceLine {
  number: number
  at_ms: number
  program_time_ms: number | null
  actor_kind: 'participant' | 'token' | 'staff' | 'department' | 'viewer' | 'cli' | 'system'
  actor_id: string | null
  action: string
  subject: string | null
  content: Record<string, unknown>
  /** the names that were not deleted, by field of the content */
  names: Record<string, string>
  hash: string
}

export interface TracePage {
  items: TraceLine[]
  /** the number to go on from */
  next: number | null
}

export const trace = (http: Http, cid: string) => {
  const path = pathOf(cid)
  return {
    /** newest first, below `before` */
    page: (query: { limit: number; before?: number | null; action?: string | null; actor?: string | null }) =>
      http.get<TracePage>(`${path}/audit`, { newest: true, ...query }),
    archive: () => http.download(`${path}/archive`),
  }
}
