/** How long somebody has spoken in this consultation, in words. */
type Translate = (key: string, values?: Record<string, unknown>) => string

export function spokenWords(ms: number | undefined, t: Translate): string {
  const seconds = Math.round((ms ?? 0) / 1000)
  if (seconds < 1) return t('desk.firstTime')
  const minutes = Math.floor(seconds / 60)
  return minutes > 0 ? t('desk.spokenMinutes', { m: minutes, s: seconds % 60 }) : t('desk.spokenSeconds', { s: seconds })
}
