/** The agenda while it is edited: what is done or runs stays in its place, the rest may move, come and go. */
import type { AgendaDraft, AgendaItem, AgendaKind } from '@/api/messages'

export interface DraftItem extends AgendaDraft {
  key: string
  fixed: boolean
}

export const KINDS: readonly AgendaKind[] = ['report', 'speech', 'discussion', 'response', 'summary', 'promotion', 'break']
const USUAL_MINUTES = 10

export function draftOf(items: readonly AgendaItem[]): DraftItem[] {
  return items.map(({ id, title, kind, planned_minutes, planned_start_wall_ms, speaker, state }) => ({
    key: id,
    id,
    title,
    kind,
    planned_minutes,
    planned_start_wall_ms,
    speaker,
    fixed: state !== 'pending',
  }))
}

export function added(items: readonly DraftItem[], key: string): DraftItem[] {
  return [
    ...items,
    { key, title: '', kind: 'speech', planned_minutes: USUAL_MINUTES, planned_start_wall_ms: null, speaker: null, fixed: false },
  ]
}

export function removed(items: readonly DraftItem[], key: string): DraftItem[] {
  return items.filter((each) => each.key !== key || each.fixed)
}

export function canMove(items: readonly DraftItem[], at: number, by: -1 | 1): boolean {
  return items[at]?.fixed === false && items[at + by]?.fixed === false
}

/** Planned times belong to the places, so they stay behind when an item moves. */
export function moved(items: readonly DraftItem[], at: number, by: -1 | 1): DraftItem[] {
  const one = items[at]
  const other = items[at + by]
  if (!one || !other || !canMove(items, at, by)) return [...items]
  const next = [...items]
  next[at] = { ...other, planned_start_wall_ms: one.planned_start_wall_ms }
  next[at + by] = { ...one, planned_start_wall_ms: other.planned_start_wall_ms }
  return next
}

/** The item of that key at the place `to`, or as near to it as what stands fast lets it. */
export function placed(items: readonly DraftItem[], key: string, to: number): DraftItem[] {
  let next = [...items]
  let at = next.findIndex((each) => each.key === key)
  while (at >= 0 && at !== to) {
    const by = to > at ? 1 : -1
    if (!canMove(next, at, by)) break
    next = moved(next, at, by)
    at += by
  }
  return next
}

/** What was saved has ids now: rows that are new and have been sent get theirs, by their order. */
export function identified(items: readonly DraftItem[], sent: readonly DraftItem[], saved: readonly AgendaItem[]): DraftItem[] {
  const ids = new Map(sent.map((each, at) => [each.key, saved[at]?.id]))
  return items.map((each) => {
    const id = each.id ?? ids.get(each.key)
    return id ? { ...each, id } : each
  })
}

export const named = (items: readonly DraftItem[]): DraftItem[] => items.filter((each) => each.title.trim())

/** What is sent: rows without a title were begun by mistake. */
export function finished(items: readonly DraftItem[]): AgendaDraft[] {
  return named(items).map(({ id, title, kind, planned_minutes, planned_start_wall_ms, speaker }) => ({
    ...(id ? { id } : {}),
    title: title.trim(),
    kind,
    // An emptied field is no number.
    planned_minutes: typeof planned_minutes === 'number' && planned_minutes > 0 ? Math.round(planned_minutes) : null,
    planned_start_wall_ms,
    speaker: speaker?.trim() || null,
  }))
}
