/** Everybody's comments as a list that grows at both ends: new ones on top, older ones asked for. Pure. */
import type { CommentPage, PublicComment } from '@/api/public-comments'

export interface CommentList {
  /** newest first */
  items: PublicComment[]
  /** of the page behind the last one; null: this is all */
  next: number | null
  total: number
  /** new ones that were not put above what somebody is reading */
  unread: number
  /** the newest page, for when they are asked for */
  newest: CommentPage | null
}

export const EMPTY: CommentList = { items: [], next: null, total: 0, unread: 0, newest: null }
const MOST_LOADED = 500

/** The newest page came again. `held`: somebody reads, nothing moves; what was hidden goes and what changed changes all the same. */
export function withNewest(list: CommentList, page: CommentPage, held: boolean): CommentList {
  const inPage = new Map(page.items.map((each) => [each.id, each]))
  const last = list.items.reduce((found, each, at) => (inPage.has(each.id) ? at : found), -1)
  if (last < 0) {
    // Nothing in common: what lies between is unknown, so the list begins anew.
    if (!held || !list.items.length || page.next === null) return fresh(page)
    return { ...list, total: page.total, unread: page.items.length, newest: page }
  }
  // Down to the last one that both have, what the page does not have is shown no more; behind it nothing is known.
  const kept = list.items.flatMap((each, at) => (at > last ? [each] : (inPage.get(each.id) ?? [])))
  const known = new Set(kept.map((each) => each.id))
  const added = page.items.filter((each) => !known.has(each.id))
  const total = page.total
  if (held) return { items: kept, next: list.next, total, unread: added.length, newest: page }
  if (kept.length + added.length > MOST_LOADED) return fresh(page)
  return { items: inOrder([...added, ...kept], page), next: page.next === null ? null : list.next, total, unread: 0, newest: null }
}

/** In the order of the page as far as it goes: something that was shown again may stand between the others. */
function inOrder(items: PublicComment[], page: CommentPage): PublicComment[] {
  const place = new Map(page.items.map((each, at) => [each.id, at]))
  const [near, far] = [items.filter((each) => place.has(each.id)), items.filter((each) => !place.has(each.id))]
  return [...near.sort((a, b) => (place.get(a.id) ?? 0) - (place.get(b.id) ?? 0)), ...far]
}

/** The reader asked for what is new. */
export function released(list: CommentList): CommentList {
  return list.newest ? withNewest({ ...list, unread: 0, newest: null }, list.newest, false) : list
}

export function withOlder(list: CommentList, page: CommentPage): CommentList {
  const known = new Set(list.items.map((each) => each.id))
  return { ...list, items: [...list.items, ...page.items.filter((each) => !known.has(each.id))], next: page.next, total: page.total }
}

export function withLikes(list: CommentList, id: string, likes: number): CommentList {
  return { ...list, items: list.items.map((each) => (each.id === id ? { ...each, likes } : each)) }
}

const fresh = (page: CommentPage): CommentList => ({ items: page.items, next: page.next, total: page.total, unread: 0, newest: null })
