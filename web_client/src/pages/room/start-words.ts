/** When it starts and who is there already, in words. */
import type { SessionInfo } from '@/api/session'

type Translate = (key: string, values?: Record<string, unknown>) => string

const SOON_MINUTES = 90

export function clock(ms: number, locale: string): string {
  return new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hour12: false }).format(ms)
}

export function startWords(
  info: SessionInfo | null,
  locale: string,
  t: Translate,
  now = Date.now(),
): { head: string; tail: string } {
  if (!info) return { head: '', tail: '' }
  const { participants: there } = info
  const present = there === null ? '' : there > 0 ? t('join.present', { n: there }) : t('join.nobody')
  const { scheduled_at_ms: at, status } = info.consultation
  if (status === 'postponed' || status === 'cancelled') return { head: t(`invite.${status}`), tail: '' }
  if (status === 'rehearsal') return { head: t('rehearsal.joining'), tail: present }
  if (status === 'live') return { head: t('join.running'), tail: present }
  if (at === null) return { head: '', tail: present }
  const time = clock(at, locale)
  const today = new Date(at).toDateString() === new Date(now).toDateString()
  const date = new Intl.DateTimeFormat(locale, { month: 'long', day: 'numeric' }).format(at)
  const head = today ? t('join.starts', { time }) : t('join.startsOn', { date, time })
  const minutes = Math.ceil((at - now) / 60_000)
  const wait = minutes > 0 && minutes <= SOON_MINUTES ? t('join.inMinutes', { n: minutes }) : ''
  return { head, tail: [wait, present].filter(Boolean).join(locale === 'zh-CN' ? '，' : ', ') }
}
