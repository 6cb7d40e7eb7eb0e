/** Comments of the public as those see them who moderate: groups of near-duplicates, how the queue stands, what goes to the session. */
import type { Http } from './http'
import type { IdentityKind } from './viewer-identity'

export type CommentState = 'pending' | 'held' | 'approved' | 'rejected' | 'hidden' | 'withdrawn' | 'promoted' | 'answered'
export type CommentOrder = 'authors' | 'oldest' | 'newest'
export type WordLevel = 'pass' | 'mark' | 'hold' | 'block'

/** Why the filter says what it says: what was found, and where in the text, nickname or region. */
export interface CommentReason {
  code: string
  what: string
  start: number
  end: number
  field: string
}

export interface ModeratedComment {
  id: string
  /** place in the order of arrival */
  number: number
  nickname: string
  region: string | null
  text: string
  /** what its author was watching */
  program_time_ms: number | null
  at_wall_ms: number
  state: CommentState
  level: WordLevel
  reasons: CommentReason[]
  group_id: string
  likes: number
  reports: number
  decided_by: string | null
  reject_reason: string | null
  /** what its author had shown by then */
  identity?: IdentityKind | null
}

export type StateCounts = Partial<Record<CommentState, number>>

export interface CommentGroup {
  id: string
  representative: ModeratedComment
  /** for how many people it stands */
  authors: number
  states: StateCounts
  /** the name of who works on it */
  claimed_by: string | null
  first_wall_ms: number
  last_wall_ms: number
}

export interface CommentCounts {
  states: StateCounts
  waiting_groups: number
  oldest_wall_ms: number | null
  per_second: number
  /** the number of the newest comment that these counts know of */
  last_number: number
}

export type PromotionPhase = 'proposed' | 'declined' | 'withdrawn' | 'current' | 'ended'

/** A comment proposed for the session or put to it; times without `wall` are program time. */
export interface Promotion {
  id: string
  comment_id: string
  group_id: string
  phase: PromotionPhase
  text: string
  nickname: string
  place: string | null
  authors: number
  proposed_by: string
  proposed_wall_ms: number
  decided_by: string | null
  item_id: string | null
  started_at_ms: number | null
  ended_at_ms: number | null
  answering: string | null
}

/** Groups about one thing; `waiting`: comments of it that wait for a decision. */
export interface CommentTopic {
  id: string
  name: string
  groups: number
  comments: number
  waiting: number
}

/** To desks that moderate, at most twice a second. `complete`: false when more groups changed than fit. */
export interface CommentsUpdated {
  counts: CommentCounts
  groups: CommentGroup[]
  gone: string[]
  complete: boolean
  promotions: Promotion[]
  moderators: string[]
}

export interface CommentsWanted {
  states: CommentState[]
  search?: string
  reason?: string
  topic?: string
  order?: CommentOrder
  after?: string
  limit?: number
}

export interface CommentGroupPage {
  items: CommentGroup[]
  next: string | null
  total: number
  counts: CommentCounts
  promotions: Promotion[]
}

/** What is decided on: comments by name, or what was shown of groups or of a topic. */
export type CommentTarget = { ids: string[] } | (({ groups: string[] } | { topic: string }) & { waiting: number; up_to?: number })

/** `undo`: the name under which comment.undo takes it back. */
export interface Decided {
  changed: number
  ids?: string[]
  groups: CommentGroup[]
  undo?: string | null
}

export interface Word {
  text: string
  level: WordLevel
  category: string
}

export type Moderation = 'pre' | 'post'

/** How comments are handled in a consultation. */
export interface ModerationPolicy {
  revision: number
  status: string
  moderation: Moderation
  moderator_promotes: boolean
}

const path = (cid: string): string => `/consultations/${encodeURIComponent(cid)}`

export const fetchPolicy = (http: Http, cid: string): Promise<ModerationPolicy> => http.get(path(cid))

export const savePolicy = (http: Http, cid: string, revision: number, moderation: Moderation): Promise<ModerationPolicy> =>
  http.send('PATCH', path(cid), { revision, moderation })

export async function fetchWords(http: Http, cid: string): Promise<Word[]> {
  return (await http.get<{ items: Word[] }>(`${path(cid)}/comments/words`)).items
}

export async function saveWords(http: Http, cid: string, words: readonly Word[]): Promise<Word[]> {
  return (await http.send<{ items: Word[] }>('PUT', `${path(cid)}/comments/words`, { items: words })).items
}

/** Opens a case for a department (交办); the same case when there is one of its group already. Gives its label. */
export async function openResponse(http: Http, cid: string, commentId: string): Promise<string> {
  return (await http.send<{ label: string }>('POST', `${path(cid)}/responses`, { comment_id: commentId })).label
}
