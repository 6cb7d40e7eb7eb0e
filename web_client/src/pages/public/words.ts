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
