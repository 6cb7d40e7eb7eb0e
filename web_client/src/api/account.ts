/** The account of a consultation (问效表): what the public said, and what became of it. Every number is from rows and the trace. */
import type { Qr } from './guests'
import type { Http } from './http'
import { pathOf } from './preparing'
import type { Rating } from './responses'

export interface DepartmentAccount {
  id: string
  name: string
  total: number
  answered: number
  in_hand: number
  overdue: number
  /** half of what was answered took no longer */
  median_days: number | null
  ratings: Record<Rating, number>
}

export interface OpenCase {
  id: string
  label: string
  text: string
  authors: number
  department: string | null
  due_wall_ms: number | null
  /** working days */
  overdue_days: number
}

export interface Account {
  consultation: { id: string; title: string; organization: string | null; status: string; started_wall_ms: number | null; ended_wall_ms: number | null }
  as_of_wall_ms: number
  venues: { main: number; branch: number; point: number }
  /** null where nobody was counted */
  viewers: { total: number | null; peak: number | null }
  comments: { received: number; groups: number; shown: number; rejected: number; held: number; withdrawn: number; waiting: number }
  /** the most talked about first */
  topics: { name: string; comments: number }[]
  other_topics: number
  promoted: { comments: number; authors: number }
  responses: { total: number; answered: number; in_hand: number; overdue: number; unassigned: number }
  median_days: number | null
  ratings: Record<Rating, number>
  departments: DepartmentAccount[]
  /** the most urgent ones of `open_total` */
  open: OpenCase[]
  open_total: number
  trace: { number: number; hash: string } | null
  answers_url: string
  answers_qr?: Qr | null
}

export const accounts = (http: Http, cid: string) => {
  const path = `${pathOf(cid)}/account`
  return {
    read: () => http.get<Account>(path),
    sheet: (kind: 'pdf' | 'xlsx') => http.download(`${path}.${kind}`),
  }
}
