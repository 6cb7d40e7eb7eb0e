/** A case in words: who asked, what is to be done with it by when, what was done. */
import type { HistoryLine, ResponseCard } from '@/api/responses'
import { dayOf, dueOf, inDays, spanOf } from '@/components/case-time'

type Translate = (key: string, values?: Record<string, unknown>) => string
interface Words {
  t: Translate
  te: (key: string) => boolean
  locale: string
  nowMs: number
}

export function authorsOf(card: Pick<ResponseCard, 'nickname' | 'authors'>, t: Translate): string {
  return card.authors > 1 ? t('cases.authors', { name: card.nickname, n: card.authors }) : t('cases.author', { name: card.nickname })
}

const sinceWords = (what: 'arrived' | 'waited', ms: number, t: Translate): string => (ms < 60_000 ? t(`responses.${what}Now`) : t(`responses.${what}`, { time: spanOf(ms, t) }))

export interface Standing {
  tone: '' | 'warn' | 'bad' | 'ok'
  words: string
  more: string
}

/** What stands at the right of a row: whose turn it is, or by when. */
export function standingOf(card: ResponseCard, mayManage: boolean, { t, locale, nowMs }: Words): Standing {
  const day = (ms: number): string => dayOf(ms, locale, nowMs)
  if (card.state === 'submitted') {
    const arrived = card.answer ? sinceWords('arrived', nowMs - card.answer.submitted_wall_ms, t) : ''
    return { tone: '', words: t(mayManage ? 'responses.approveNow' : 'responses.awaiting.submitted'), more: arrived }
  }
  if (card.state === 'unassigned') {
    return { tone: '', words: t(mayManage ? 'responses.assignNow' : 'responses.awaiting.unassigned'), more: sinceWords('waited', nowMs - card.opened_wall_ms, t) }
  }
  if (card.state === 'assigned') {
    if (card.due_wall_ms === null) return { tone: '', words: t('cases.state.assigned'), more: '' }
    const due = dueOf(card.due_wall_ms, card.overdue_days, nowMs, t)
    const until = t('cases.dueOn', { date: day(card.due_wall_ms) })
    if (card.extension && mayManage) return { tone: due.tone, words: t('responses.extensionNow'), more: t('responses.wantsUntil', { date: day(card.extension.until_wall_ms) }) }
    return { tone: due.tone, words: due.words, more: until }
  }
  const rated = (['satisfied', 'fairly', 'unsatisfied'] as const).filter((each) => card.ratings[each] > 0)
  const only = rated.length === 1 ? rated[0] : undefined
  const when = card.answer?.approved_wall_ms ?? card.closed_wall_ms
  return { tone: 'ok', words: t(`cases.state.${card.state}`), more: only ? t(`cases.rating.${only}`) : when ? day(when) : '' }
}

export function isOverdue(card: ResponseCard, nowMs: number): boolean {
  return card.state === 'assigned' && (card.overdue_days > 0 || (card.due_wall_ms !== null && card.due_wall_ms < nowMs))
}

export interface HistoryWords {
  head: string
  lines: string[]
  bad: boolean
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** One line of the trace of a case; an action without words of its own is named as the trace names it. */
export function historyWords({ action, by, detail }: HistoryLine, words: Words): HistoryWords {
  const { t, te, locale, nowMs } = words
  const verb = action.replace(/^(response|notice)\./, '')
  const dateOf = (value: unknown): string => (typeof value === 'number' ? dayOf(value, locale, nowMs) : '')
  const department = text(detail.name) || (verb === 'submitted' || verb === 'extension_asked' ? (by ?? '') : '')
  const until = dateOf(detail.until_wall_ms ?? detail.due_wall_ms)
  const rating = text(detail.rating)
  const key = keyOf(verb, detail)
  const head = te(`responses.line.${key}`)
    ? t(`responses.line.${key}`, { department, date: until, rating: te(`cases.rating.${rating}`) ? t(`cases.rating.${rating}`) : '' }).trim()
    : te(`trace.action.${action}`)
      ? t(`trace.action.${action}`)
      : t('responses.line.other')
  const lines: string[] = []
  if ((verb === 'assigned' || verb === 'reopened') && typeof detail.due_wall_ms === 'number') lines.push(t('responses.line.due', { date: until }))
  if (text(detail.reason)) lines.push(t('responses.line.reason', { reason: text(detail.reason) }))
  if (verb === 'submitted') lines.push(t('responses.line.waits'))
  const channels = (Array.isArray(detail.channels) ? detail.channels : [detail.channel]).map((each) => `responses.line.channel.${text(each)}`).filter(te)
  if (channels.length) lines.push(channels.map((each) => t(each)).join(t('common.separator')))
  if (verb === 'followed_up' && text(detail.text)) lines.push(text(detail.text))
  if (by && by !== department) lines.push(by)
  return { head, lines, bad: verb === 'refused' || verb === 'failed' }
}

const REMINDERS: ReadonlySet<string> = new Set(['before', 'due', 'overdue', 'by_hand'])

function keyOf(verb: string, detail: Record<string, unknown>): string {
  if (verb === 'opened' && detail.promotion) return 'openedTaken'
  if (verb === 'assigned' && detail.before) return 'reassigned'
  if (verb === 'sent' && REMINDERS.has(text(detail.kind))) return 'sentReminder'
  if (verb === 'approved' && detail.visibility === 'private') return 'approvedPrivate'
  return verb
}

/** The first day to which a case can be put off: after its date and after today. */
export function earliest(dueWallMs: number | null, nowMs: number): number {
  return inDays(1, Math.max(nowMs, dueWallMs ?? 0))
}
