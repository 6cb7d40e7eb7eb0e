/** When a case is due, in days as people count them: today, tomorrow, in three days. */

const DAY_MS = 86_400_000
/** within so many days the due date is near */
export const SOON_DAYS = 3

type Translate = (key: string, values?: Record<string, unknown>) => string

export interface Due {
  /** how urgent: '' (there is time), warn, bad (overdue) */
  tone: '' | 'warn' | 'bad'
  words: string
}

/** Midnights between now and then at the place of the reader; negative when it is past. */
export function daysUntil(wallMs: number, nowMs: number): number {
  return Math.round((midnight(wallMs) - midnight(nowMs)) / DAY_MS)
}

function midnight(wallMs: number): number {
  const day = new Date(wallMs)
  return new Date(day.getFullYear(), day.getMonth(), day.getDate()).getTime()
}

export function dueOf(dueWallMs: number, overdueDays: number, nowMs: number, t: Translate): Due {
  // The server knows the time better than this device.
  if (overdueDays > 0 || dueWallMs < nowMs) return { tone: 'bad', words: overdueDays > 0 ? t('cases.overdueBy', { n: overdueDays }) : t('cases.overdue') }
  const days = daysUntil(dueWallMs, nowMs)
  return { tone: days <= SOON_DAYS ? 'warn' : '', words: days === 0 ? t('cases.today') : t('cases.left', { n: days }) }
}

/** With the year only where it is another one. */
export function dayOf(wallMs: number, locale: string, nowMs: number): string {
  const other = new Date(wallMs).getFullYear() !== new Date(nowMs).getFullYear()
  return new Intl.DateTimeFormat(locale, { month: 'long', day: 'numeric', ...(other ? { year: 'numeric' } : {}) }).format(wallMs)
}

export function momentOf(wallMs: number, locale: string, nowMs: number): string {
  const time = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hour12: false }).format(wallMs)
  return `${dayOf(wallMs, locale, nowMs)} ${time}`
}

/** 40 分钟, 2 小时, 1 天 */
export function spanOf(ms: number, t: Translate): string {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 60) return t('cases.minutes', { n: minutes })
  if (minutes < 1440) return t('cases.hours', { n: Math.floor(minutes / 60) })
  return t('cases.days', { n: Math.floor(minutes / 1440) })
}

/** So many days from now at 18:00, when offices close. */
export function inDays(days: number, nowMs: number): number {
  const day = new Date(nowMs)
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + days, 18).getTime()
}
