/** One's own comments as this device remembers them, and what the server says became of them. Pure. */
import type { CommentReceipt, CommentStatus, OwnAnswer, OwnResponse, PublicComment } from '@/api/public-comments'
import type { CommentLetter } from './comment-outbox'

export interface OwnComment {
  id: string
  text: string
  nickname: string
  region: string | null
  at_wall_ms: number
  status: CommentStatus
  reason: string | null
  response: OwnResponse | null
}

export const MOST_OWN = 100
const SECOND = 1000
const MINUTE = 60 * SECOND

export function isOwn(each: unknown): each is OwnComment {
  const found = each as Partial<OwnComment> | null
  return typeof found?.id === 'string' && typeof found.text === 'string' && typeof found.status === 'string' && typeof found.at_wall_ms === 'number'
}

/** Newest first, at most as many as one may ask for at once. The same id is the same comment. */
export function withSent(own: readonly OwnComment[], letter: CommentLetter, receipt: CommentReceipt): OwnComment[] {
  const { text, nickname, region, written_wall_ms: at } = letter
  const made: OwnComment = { id: receipt.id, text, nickname, region, at_wall_ms: at, status: receipt.status, reason: null, response: null }
  return [made, ...own.filter((each) => each.id !== receipt.id)].sort((a, b) => b.at_wall_ms - a.at_wall_ms).slice(0, MOST_OWN)
}

/** What the server does not know (any more) stays as it was; nickname and text are as it keeps them. */
export function withAnswers(own: readonly OwnComment[], answers: readonly OwnAnswer[]): OwnComment[] {
  const said = new Map(answers.map((each) => [each.id, each]))
  return own.map((each) => {
    const found = said.get(each.id)
    if (!found) return each
    return { ...each, status: found.status, text: found.text, nickname: found.nickname, reason: found.reason ?? null, response: found.response ?? null }
  })
}

/** Whether something may still come of it. */
const isOpen = (each: OwnComment): boolean => each.status !== 'withdrawn' && each.status !== 'rejected' && !(each.status === 'answered' && each.response?.rating)

const SMALL_CROWD = 5000

/** How long until asking again, or null when there is nothing to ask for. What was just written is news soon, the rest later. No
    cache carries these answers: in a crowd of viewers each author asks more rarely. */
export function ownPollMs(own: readonly OwnComment[], nowMs: number, chance: number, viewers: number | null = null): number | null {
  if (!own.length) return null
  const youngest = Math.min(...own.filter((each) => each.status === 'pending').map((each) => nowMs - each.at_wall_ms), Infinity)
  const base = youngest < 2 * MINUTE ? 6 * SECOND : youngest < 20 * MINUTE ? 20 * SECOND : own.some(isOpen) ? MINUTE : 10 * MINUTE
  const patience = Math.min(10, Math.max(1, (viewers ?? 0) / SMALL_CROWD))
  return Math.min(base * patience, 10 * MINUTE) * (0.75 + chance / 2)
}

/** One's own in everybody's list: taken to the session with another one that stands for it, which only its author is told. */
export function asOwn(comment: PublicComment, own: OwnComment | undefined): PublicComment {
  return own?.status === 'promoted' && comment.status === 'approved' ? { ...comment, status: 'promoted' } : comment
}

/** What its author waits for, or was just told. One that was merged into another's is promoted and answered with it, and seen by
    nobody else. */
function isNews(each: OwnComment, nowMs: number): boolean {
  const RECENT = 30 * MINUTE
  return each.status === 'pending' || each.status === 'promoted' || each.status === 'answered' || (each.status === 'rejected' && nowMs - each.at_wall_ms < RECENT)
}

/** Those that stand above the list because everybody's list does not have them: the last few. */
export function above(own: readonly OwnComment[], shown: ReadonlySet<string>, nowMs: number): OwnComment[] {
  return own.filter((each) => !shown.has(each.id) && isNews(each, nowMs)).slice(0, 3)
}
