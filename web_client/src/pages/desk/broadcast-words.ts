/** Program time as people write it, and how long a stretch is, in words. */
import { clockText } from '@/stores/program-clock'

type T = (key: string, values?: Record<string, unknown>) => string

/** 01:12:46, 72:46 or 1：12：46 → ms; null when it is no time. */
export function readClock(text: string): number | null {
  const parts = text.trim().replaceAll('：', ':').split(':')
  if (parts.length < 2 || parts.length > 3 || !parts.every((part) => /^\d{1,3}$/.test(part))) return null
  const [seconds = 0, minutes = 0, hours = 0] = parts.map(Number).reverse()
  if (seconds > 59 || (parts.length === 3 && minutes > 59)) return null
  return ((hours * 60 + minutes) * 60 + seconds) * 1000
}

export function spanWords(ms: number, t: T): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  if (seconds < 60) return t('attendance.seconds', { s: seconds })
  const [m, s] = [Math.floor(seconds / 60), seconds % 60]
  return s === 0 ? t('attendance.minutesLong', { n: m }) : t('attendance.minutesSeconds', { m, s })
}

/** 00:42 while it is short, 01:00:42 later: for a clock that runs. */
export function runningText(ms: number): string {
  const text = clockText(ms)
  return ms < 3_600_000 ? text.slice(3) : text
}
