/** How long the holder of the floor has left, from what the server said and program time. */
import type { FloorHolder } from '@/api/messages'

export type FloorPhase = 'waiting' | 'running' | 'soon' | 'over' | 'grace'

export interface FloorTime {
  phase: FloorPhase
  spentMs: number
  /** null: no limit. Below 0 the time is over. */
  leftMs: number | null
}

const SOON_MS = 60_000

export function floorTime(holder: FloorHolder, programMs: number | null): FloorTime {
  const stretch = holder.started_at_ms === null || programMs === null ? 0 : Math.max(0, programMs - holder.started_at_ms)
  const spentMs = holder.spoken_ms + stretch
  const leftMs = holder.duration_ms === null ? null : holder.duration_ms - spentMs
  return { phase: phaseOf(holder, leftMs), spentMs, leftMs }
}

function phaseOf(holder: FloorHolder, leftMs: number | null): FloorPhase {
  if (holder.state === 'grace' || holder.state === 'waiting') return holder.state
  if (leftMs === null) return 'running'
  if (leftMs <= 0 || holder.state === 'over') return 'over'
  return leftMs <= SOON_MS ? 'soon' : 'running'
}

/** 02:48 left, +00:14 over, and with no limit the time spent. */
export function timeText({ leftMs, spentMs }: FloorTime): string {
  if (leftMs === null) return minutesText(Math.floor(spentMs / 1000))
  return leftMs > 0 ? minutesText(Math.ceil(leftMs / 1000)) : `+${minutesText(Math.floor(-leftMs / 1000))}`
}

/** How much of the bar is filled: what is left; full when it is over. */
export function barPart({ leftMs }: FloorTime, durationMs: number | null): number {
  if (leftMs === null || durationMs === null || durationMs <= 0) return 0
  return leftMs <= 0 ? 1 : Math.min(1, leftMs / durationMs)
}

function minutesText(seconds: number): string {
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`
}
