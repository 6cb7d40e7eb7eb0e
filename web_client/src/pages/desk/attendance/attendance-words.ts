/** Attendance in words and on the meeting's time. */
import type { Attendee, AttendanceNote } from '@/api/attendance'

type Translate = (key: string, values?: Record<string, unknown>) => string

/** 9 分 12 秒, whole minutes without seconds; nothing for nothing. */
export function lengthWords(ms: number, t: Translate): string {
  const seconds = Math.round(ms / 1000)
  if (seconds < 1) return ''
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60]
  if (minutes === 0) return t('attendance.seconds', { s: rest })
  return rest === 0 ? t('attendance.minutes', { m: minutes }) : t('attendance.minutesSeconds', { m: minutes, s: rest })
}

/** Minutes as on a plot. */
export function minuteWords(ms: number, t: Translate): string {
  return ms < 60_000 ? lengthWords(ms, t) || t('attendance.minutes', { m: 0 }) : t('attendance.minutes', { m: Math.round(ms / 60_000) })
}

export function noteWords(note: AttendanceNote, t: Translate): string {
  const long = note.ms ?? 0
  if (note.code === 'late') return t('attendance.note.late', { n: Math.max(1, Math.round(long / 60_000)) })
  if (note.code === 'left_early') return t('attendance.note.left_early', { n: Math.max(1, Math.round(long / 60_000)) })
  if (note.code === 'dropped' || note.code === 'away') return t(`attendance.note.${note.code}`, { time: long < 60_000 ? t('attendance.seconds', { s: Math.max(1, Math.round(long / 1000)) }) : t('attendance.minutesLong', { n: Math.round(long / 60_000) }) })
  return t(`attendance.note.${note.code}`)
}

/** what somebody has to explain or may be asked about */
export const needsWord = (each: Attendee): boolean => each.notes.some((note) => note.code !== 'throughout')
export const wasThere = (each: Attendee): boolean => each.sessions.length > 0

export function meansWords(each: Attendee, t: Translate): { where: string; how: string } {
  if (!wasThere(each)) return { where: each.venue ?? '', how: '' }
  const device = each.means === 'whip' ? t('people.encoder') : each.means === 'ingest' ? t('cameras.participant') : t(`attendance.device.${each.device ?? 'laptop'}`)
  const how = each.in_hall ? t('attendance.inHall') : t(`attendance.by.${each.entered_by ?? 'token'}`)
  return each.venue ? { where: each.venue, how } : { where: device, how }
}

export interface Axis {
  from: number
  to: number
}

/** Wall times that the bars stand on: from the start (before it: the first entry) to the end (before it: now). */
export function axisOf(items: readonly Attendee[], startedAt: number | null, endedAt: number | null, now: number): Axis {
  const first = Math.min(...items.flatMap((each) => each.sessions.map((stay) => stay.from_wall_ms)), now)
  const from = startedAt ?? first
  return { from, to: Math.max(endedAt ?? now, from + 60_000) }
}

export interface Stretch {
  x: number
  width: number
}

/** Where a stretch of time lies on an axis of `size`; null outside of it. What is too short to be seen is a hair wide. */
export function stretch(axis: Axis, from: number, to: number, size: number): Stretch | null {
  const span = axis.to - axis.from
  const start = Math.max(from, axis.from)
  const end = Math.min(to, axis.to)
  if (end <= start) return null
  const x = ((start - axis.from) / span) * size
  return { x: Math.round(x * 10) / 10, width: Math.max(size / 250, Math.round((((end - start) / span) * size) * 10) / 10) }
}
