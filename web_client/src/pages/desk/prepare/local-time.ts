/** Day and time of day of this device, as native fields want them, and back to UTC milliseconds. */

const two = (n: number): string => String(n).padStart(2, '0')

export function dayText(ms: number | null): string {
  if (ms === null) return ''
  const at = new Date(ms)
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

export function timeText(ms: number | null): string {
  if (ms === null) return ''
  const at = new Date(ms)
  return `${two(at.getHours())}:${two(at.getMinutes())}`
}

/** null unless both are there. */
export function instant(day: string, time: string): number | null {
  if (!day || !time) return null
  const at = new Date(`${day}T${time}`).getTime()
  return Number.isNaN(at) ? null : at
}

/** The end on the day of the start; what ends before it began ends on the next day. */
export function endInstant(day: string, start: string, end: string): number | null {
  const from = instant(day, start)
  const to = instant(day, end)
  if (from === null || to === null) return to
  if (to > from) return to
  const next = new Date(to)
  next.setDate(next.getDate() + 1)
  return next.getTime()
}
