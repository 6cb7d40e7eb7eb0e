/** The ledger of cases (办理答复) over REST, for the desk. Times with `wall` are the wall clock in ms, others program time. */
import type { Http, Kept } from './http'
import { pathOf } from './preparing'

export type CaseState = 'unassigned' | 'assigned' | 'submitted' | 'answered' | 'closed'
export type Visibility = 'public' | 'private'
export type Rating = 'satisfied' | 'fairly' | 'unsatisfied'

export interface Named {
  id: string
  name: string
}

export interface Extension {
  until_wall_ms: number
  reason: string
  asked_wall_ms: number
}

export interface CaseAnswer {
  text: string
  visibility: Visibility
  handler: string
  submitted_wall_ms: number
  approved_wall_ms: number | null
}

export interface ResponseCard {
  id: string
  number: number
  /** 第 2026-1120-07 号 */
  label: string
  comment_id: string
  group_id: string
  promotion_id: string | null
  text: string
  nickname: string
  region: string
  authors: number
  state: CaseState
  department: Named | null
  suggested_department: Named | null
  due_wall_ms: number | null
  /** working days */
  overdue_days: number
  /** how often */
  reminded: number
  /** how often */
  extended: number
  extension: Extension | null
  answer: CaseAnswer | null
  /** the approved one before it, public until the newest is approved */
  earlier: CaseAnswer | null
  /** why it lies where it lies: given back, refused or taken up again */
  returned_reason: string | null
  program_from_ms: number | null
  program_to_ms: number | null
  opened_wall_ms: number
  closed_wall_ms: number | null
  ratings: Record<Rating, number>
  follow_ups: { id: string; text: string; at_wall_ms: number }[]
  /** when the comment was written */
  at_wall_ms: number
}

export interface HistoryLine {
  at_wall_ms: number
  action: string
  by: string | null
  detail: Record<string, unknown>
}

export interface ResponseDetail {
  response: ResponseCard
  /** texts of the group, beside the representative's */
  similar: string[]
  /** newest first */
  history: HistoryLine[]
}

export const COUNTED = ['unassigned', 'assigned', 'due_soon', 'overdue', 'submitted', 'answered', 'closed', 'all'] as const
export type Counted = (typeof COUNTED)[number]

export interface ResponsePage {
  items: ResponseCard[]
  next: string | null
  counts: Record<Counted, number>
}

export interface ResponseQuery {
  state?: string
  department?: string
  text?: string
  limit?: number
  after?: string | null
}

export interface Department {
  id: string
  name: string
  contact: string
  email: string
  phone: string
  open: number
  total: number
  valid_until_wall_ms: number | null
}

export type DepartmentDraft = Pick<Department, 'name' | 'contact' | 'email' | 'phone'>

type Turned = Promise<{ response: ResponseCard }>

export const responses = (http: Http, cid: string) => {
  const path = pathOf(cid)
  const at = (id: string): string => `${path}/responses/${encodeURIComponent(id)}`
  const act = (id: string, verb: string, body: object = {}): Turned => http.send('POST', `${at(id)}/${verb}`, body)
  const door = (id: string): string => `${path}/departments/${encodeURIComponent(id)}`
  return {
    page: (query: ResponseQuery, kept: Kept<ResponsePage> | null = null) => http.look<ResponsePage>(`${path}/responses`, { ...query }, kept),
    one: (id: string, kept: Kept<ResponseDetail> | null = null) => http.look<ResponseDetail>(at(id), {}, kept),
    assign: (id: string, department: string, dueWallMs: number | null, reason: string) =>
      act(id, 'assign', { department_id: department, ...(dueWallMs === null ? {} : { due_wall_ms: dueWallMs }), ...(reason ? { reason } : {}) }),
    extend: (id: string, untilWallMs: number, reason: string) => act(id, 'extend', { until_wall_ms: untilWallMs, ...(reason ? { reason } : {}) }),
    denyExtension: (id: string, reason: string) => act(id, 'deny-extension', { reason }),
    remind: (id: string) => act(id, 'remind'),
    giveBack: (id: string, reason: string) => act(id, 'return', { reason }),
    approve: (id: string, visibility: Visibility) => act(id, 'approve', { visibility }),
    unapprove: (id: string) => act(id, 'unapprove'),
    reopen: (id: string, reason: string) => act(id, 'reopen', { reason }),
    close: (id: string) => act(id, 'close'),
    departments: () => http.get<{ items: Department[] }>(`${path}/departments`),
    addDepartment: (draft: DepartmentDraft) => http.send<Department>('POST', `${path}/departments`, draft),
    editDepartment: (id: string, draft: Partial<DepartmentDraft>) => http.send<Department>('PATCH', door(id), draft),
    departmentLink: (id: string) => http.get<{ url: string }>(`${door(id)}/link`),
    renewLink: (id: string) => http.send<{ url: string }>('POST', `${door(id)}/renew`),
  }
}

export type ResponsesApi = ReturnType<typeof responses>
