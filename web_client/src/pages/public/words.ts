/** Times in words, in the reader's language and at the place of the reader. */

export function clockOf(wallMs: number, locale: string): string {
  return new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hour12: false }).format(wallMs)
}

export function secondsOf(wallMs: number, locale: string): string {
  return new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }).format(wallMs)
}

export function dayOf(wallMs: number, locale: string, weekday = false): string {
  return new Intl.DateTimeFormat(locale, { month: 'long', day: 'numeric', ...(weekday ? { weekday: 'long' } : {}) }).format(wallMs)
}

/** The time of day of today, else the day. */
export function clockOrDay(wallMs: number, nowMs: number, locale: string): string {
  return new Date(wallMs).toDateString() === new Date(nowMs).toDateString() ? clockOf(wallMs, locale) : dayOf(wallMs, locale)
}

/** The same, with a word for what was written just now. */
export function momentAgo(wallMs: number, nowMs: number, locale: string, justNow: string): string {
  if (Math.abs(nowMs - wallMs) < 60_000) return justNow
  return new Date(wallMs).toDateString() === new Date(nowMs).toDateString() ? clockOf(wallMs, locale) : `${dayOf(wallMs, locale)} ${clockOf(wallMs, locale)}`
}
