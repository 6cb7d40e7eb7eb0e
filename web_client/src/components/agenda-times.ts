/** Plan and reality of the agenda in minutes: when each item is to start, how long it took, how late it all runs. */
import type { AgendaItem } from '@/api/messages'

const MINUTE_MS = 60_000

/** Wall time of each item by the plan: its own, else after the one before it. */
export function plannedStarts(items: readonly Pick<AgendaItem, 'planned_start_wall_ms' | 'planned_minutes'>[], scheduledAtMs: number | null): (number | null)[] {
  let next = scheduledAtMs
  return items.map((item) => {
    const start = item.planned_start_wall_ms ?? next
    next = start === null || typeof item.planned_minutes !== 'number' ? null : start + item.planned_minutes * MINUTE_MS
    return start
  })
}

export function spentMs(item: AgendaItem, programMs: number | null): number | null {
  if (item.started_at_ms === null) return null
  const end = item.ended_at_ms ?? programMs
  return end === null ? null : Math.max(0, end - item.started_at_ms)
}

export const wholeMinutes = (ms: number): number => Math.round(ms / MINUTE_MS)

/** Minutes behind the plan (ahead of it below 0); null when nothing has been planned and begun. */
export function drift(items: readonly AgendaItem[], programMs: number | null): number | null {
  let behind: number | null = null
  for (const item of items) {
    const spent = spentMs(item, programMs)
    if (spent === null || item.planned_minutes === null) continue
    const planned = item.planned_minutes * MINUTE_MS
    // A current item is not ahead of its plan before it has ended.
    if (item.state === 'done') behind = (behind ?? 0) + spent - planned
    else behind = (behind ?? 0) + Math.max(0, spent - planned)
  }
  return behind === null ? null : Math.trunc(behind / MINUTE_MS)
}
