/** The public's comments and the answers to them over REST. What is the same for all is asked for without the device's cookie. */

export type CommentStatus = 'pending' | 'rejected' | 'approved' | 'promoted' | 'answered' | 'withdrawn'
export type Rating = 'satisfied' | 'fairly' | 'unsatisfied'
export const RATINGS: readonly Rating[] = ['satisfied', 'fairly', 'unsatisfied']
export const LONGEST_COMMENT = 300
export const LONGEST_NAME = 40

export interface PublicComment {
  id: string
  nickname: string
  region: string | null
  text: string
  /** what its author was watching */
  program_time_ms: number | null
  at_wall_ms: number
  status: CommentStatus
  likes: number
  group_id?: string
  /** for how many people it stands */
  authors?: number
}

export interface CommentPage {
  /** newest first */
  items: PublicComment[]
  next: number | null
  total: number
}

export interface CommentDraft {
  text: string
  nickname: string
  region: string | null
  program_time_ms: number | null
  key: string
}

export interface CommentReceipt {
  id: string
  status: CommentStatus
}

/** What became of a case as its author is told; a private answer is told here only. */
export interface OwnResponse {
  id: string
  state: string
  department: string | null
  due_wall_ms: number | null
  answer: { text: string; visibility: 'public' | 'private'; at_wall_ms: number | null } | null
  rating: Rating | null
}

export interface OwnAnswer extends CommentReceipt {
  text: string
  nickname: string
  reason?: string | null
  response?: OwnResponse | null
}

export interface PublicResponse {
  id: string
  /** 第 2026-1120-07 号 */
  label: string
  nickname: string
  region: string | null
  authors: number
  text: string
  promoted: boolean
  state: 'pending' | 'answered' | 'closed'
  department: string | null
  due_wall_ms: number | null
  /** working days */
  overdue_days: number
  /** how often */
  reminded: number
  answer: { text: string; at_wall_ms: number | null } | null
  is_private?: boolean
  program_from_ms: number | null
  ratings: Record<Rating, number>
  comment_id?: string
  group_id?: string
}

export interface ResponsePage {
  items: PublicResponse[]
  next: string | number | null
  counts: { total: number; answered: number; pending: number; overdue: number }
  /** half of the cases were answered within so many days */
  median_days: number | null
}

/** What the server said instead; `offline` when nothing was heard of it. */
export class CommentError extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    readonly retryAfterS: number | null = null,
  ) {
    super(code)
  }
}

const PATIENCE_MS = 15_000
export const publicPath = (cid: string): string => `/api/v1/public/consultations/${encodeURIComponent(cid)}`
const address = publicPath

export const postComment = (cid: string, draft: CommentDraft): Promise<CommentReceipt> => ask(`${address(cid)}/comments`, 'POST', draft)

export function fetchComments(cid: string, after: number | null = null): Promise<CommentPage> {
  return ask(`${address(cid)}/comments${after === null ? '' : `?after=${after}`}`)
}

/** Of `ids`, what this device wrote. Without ids it only makes the device known to the server. */
export async function fetchOwn(cid: string, ids: readonly string[]): Promise<OwnAnswer[]> {
  return (await ask<{ items: OwnAnswer[] }>(`${address(cid)}/comments/mine?ids=${ids.map(encodeURIComponent).join(',')}`, 'GET', undefined, true)).items
}

export async function likeComment(cid: string, id: string, liked: boolean): Promise<number> {
  return (await ask<{ likes: number }>(`${address(cid)}/comments/${encodeURIComponent(id)}/like`, liked ? 'POST' : 'DELETE')).likes
}

export const reportComment = (cid: string, id: string): Promise<void> => ask(`${address(cid)}/comments/${encodeURIComponent(id)}/report`, 'POST')

export const withdrawComment = (cid: string, id: string): Promise<CommentReceipt> => ask(`${address(cid)}/comments/${encodeURIComponent(id)}/withdraw`, 'POST')

export function fetchResponses(cid: string, after: string | number | null = null): Promise<ResponsePage> {
  return ask(`${address(cid)}/responses${after === null ? '' : `?after=${encodeURIComponent(after)}`}`)
}

export const rateResponse = (cid: string, id: string, rating: Rating): Promise<void> => ask(`${address(cid)}/responses/${encodeURIComponent(id)}/rating`, 'POST', { rating })

export const followUp = (cid: string, id: string, text: string): Promise<void> => ask(`${address(cid)}/responses/${encodeURIComponent(id)}/follow-up`, 'POST', { text })

/** One sampled sign of life; whether it arrives does not matter. */
export async function sendPresence(cid: string, id: string): Promise<void> {
  await ask(`${address(cid)}/presence`, 'POST', { id }, false).catch(() => undefined)
}

/** `known`: with the device's cookie; by itself whatever is not the same for all. */
export async function ask<T>(path: string, method = 'GET', body?: unknown, known = method !== 'GET'): Promise<T> {
  const stop = new AbortController()
  const patience = setTimeout(() => stop.abort(), PATIENCE_MS)
  try {
    const response = await fetch(path, {
      method,
      cache: 'no-cache',
      credentials: known ? 'same-origin' : 'omit',
      signal: stop.signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    })
    if (!response.ok) throw await problem(response)
    return (response.status === 204 ? undefined : await response.json()) as T
  } catch (error) {
    throw error instanceof CommentError ? error : new CommentError('offline', 0)
  } finally {
    clearTimeout(patience)
  }
}

async function problem(response: Response): Promise<CommentError> {
  const said = (await response.json().catch(() => ({}))) as { code?: unknown; retry_after_s?: unknown }
  const code = typeof said.code === 'string' ? said.code : response.status >= 500 ? 'internal' : 'failed'
  return new CommentError(code, response.status, typeof said.retry_after_s === 'number' ? said.retry_after_s : null)
}
