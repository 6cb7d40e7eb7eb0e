/** The department's door: what a link /d/{code} opens. */
import { Http, type Kept } from './http'
import type { CaseAnswer, CaseState, Extension, Visibility } from './responses'

/** A case as its department sees it: nothing of other departments, no contacts of others. */
export interface DepartmentCase {
  id: string
  label: string
  text: string
  nickname: string
  region: string
  authors: number
  promotion_id: string | null
  state: CaseState
  due_wall_ms: number | null
  /** working days */
  overdue_days: number
  reminded: number
  extension: Extension | null
  answer: CaseAnswer | null
  /** why the secretariat gave the last answer back */
  returned_reason: string | null
  ratings: Record<'satisfied' | 'fairly' | 'unsatisfied', number>
  follow_ups: { id: string; text: string; at_wall_ms: number }[]
  opened_wall_ms: number
  at_wall_ms: number
}

export interface DepartmentDoor {
  consultation: { id: string; title: string; organization: string | null; started_wall_ms: number | null }
  department: { name: string }
  valid_until_wall_ms: number | null
  cases: DepartmentCase[]
}

type Turned = Promise<{ case: DepartmentCase }>

export const department = (code: string) => {
  const http = new Http(`dept.${code}`)
  const at = (id: string): string => `/department/cases/${encodeURIComponent(id)}`
  return {
    door: (kept: Kept<DepartmentDoor> | null = null) => http.look<DepartmentDoor>('/department', {}, kept),
    one: (id: string) => http.get<{ case: DepartmentCase; similar: string[] }>(at(id)),
    answer: (id: string, text: string, visibility: Visibility, handler: string): Turned => http.send('POST', `${at(id)}/answer`, { text, visibility, handler }),
    askExtension: (id: string, untilWallMs: number, reason: string): Turned => http.send('POST', `${at(id)}/extension`, { until_wall_ms: untilWallMs, reason }),
    refuse: (id: string, reason: string): Turned => http.send('POST', `${at(id)}/refuse`, { reason }),
  }
}
