/** Lines of a plot: minutes on a time axis, gaps where nothing was measured. Pure. */
import type { VenueMinute } from '@/api/venue-board'

export const MINUTE_MS = 60_000
/** minutes apart by more than this are not joined */
const GAP_MS = 2.5 * MINUTE_MS

export interface Frame {
  left: number
  right: number
  top: number
  bottom: number
}

export interface Axis {
  fromMs: number
  toMs: number
  max: number
}

export const xOf = (atMs: number, frame: Frame, axis: Axis): number => {
  const span = Math.max(axis.toMs - axis.fromMs, MINUTE_MS)
  return round(frame.left + ((frame.right - frame.left) * Math.min(Math.max(atMs - axis.fromMs, 0), span)) / span)
}
export const yOf = (value: number, frame: Frame, axis: Axis): number => round(frame.bottom - (frame.bottom - frame.top) * Math.min(1, Math.max(0, value / axis.max)))

/** The `d` of a path. A single minute is a short dash, so that it can be seen. */
export function lineOf(minutes: readonly VenueMinute[], value: (each: VenueMinute) => number, frame: Frame, axis: Axis): string {
  const parts: string[] = []
  let before: VenueMinute | null = null
  for (const each of minutes) {
    const [x, y] = [xOf(each.at_ms, frame, axis), yOf(value(each), frame, axis)]
    if (before === null || each.at_ms - before.at_ms > GAP_MS) parts.push(`M${x} ${y}h1`)
    else parts.push(`L${x} ${y}`)
    before = each
  }
  return parts.join('')
}

/** The least round number that holds them all, and not less than `least`. */
export function roof(values: readonly number[], least: number): number {
  const max = Math.max(least, ...values)
  const unit = 10 ** Math.floor(Math.log10(max))
  return round([1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((each) => each * unit).find((each) => each >= max - 1e-9) ?? 10 * unit)
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
