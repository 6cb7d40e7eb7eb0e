/** Where a case stands for its department: the sentence over everything, and the order of the list. */
import type { DepartmentCase } from '@/api/department'
import { dayOf, daysUntil, momentOf, SOON_DAYS } from '@/components/case-time'

type Translate = (key: string, values?: Record<string, unknown>) => string

export interface Sentence {
  tone: '' | 'warn' | 'bad' | 'ok'
  head: string
  text: string
}

export const isOpen = (one: DepartmentCase): boolean => one.state === 'assigned'

export const isLate = (one: DepartmentCase, nowMs: number): boolean => isOpen(one) && (one.overdue_days > 0 || (one.due_wall_ms !== null && one.due_wall_ms < nowMs))

export function sentenceOf(one: DepartmentCase, locale: string, nowMs: number, t: Translate): Sentence {
  const day = (ms: number): string => dayOf(ms, locale, nowMs)
  const { answer } = one
  if (one.state === 'submitted') {
    const head = t(answer?.visibility === 'private' ? 'due.submittedPrivate' : 'due.submitted')
    return { tone: 'ok', head, text: answer ? t('due.submittedText', { at: momentOf(answer.submitted_wall_ms, locale, nowMs) }) : '' }
  }
  if (one.state === 'closed') return { tone: 'ok', head: t('due.closed'), text: t('due.thanks') }
  if (one.state === 'answered') return { tone: 'ok', head: t(answer?.visibility === 'private' ? 'due.answeredPrivate' : 'due.answered', { n: one.authors }), text: t('due.thanks') }
  const due = dueSentence(one, day, nowMs, t)
  if (one.returned_reason) return { tone: due.tone || 'warn', head: t('due.returned'), text: t('due.returnedText', { reason: one.returned_reason }) }
  if (one.extension) return { tone: due.tone, head: t('due.asked', { date: day(one.extension.until_wall_ms) }), text: t('due.askedText') }
  return due
}

function dueSentence(one: DepartmentCase, day: (ms: number) => string, nowMs: number, t: Translate): Sentence {
  const due = one.due_wall_ms
  if (due === null) return { tone: '', head: t('cases.state.assigned'), text: '' }
  const date = day(due)
  if (one.overdue_days > 0 || due < nowMs) {
    return { tone: 'bad', head: one.overdue_days > 0 ? t('due.overdue', { n: one.overdue_days }) : t('due.overdueToday'), text: t('due.late', { date }) }
  }
  const days = daysUntil(due, nowMs)
  if (days === 0) return { tone: 'warn', head: t('due.today'), text: t('due.text') }
  if (days <= SOON_DAYS) return { tone: 'warn', head: t('due.left', { n: days, date }), text: t('due.text') }
  return { tone: '', head: t('due.open', { date }), text: t('cases.left', { n: days }) }
}

/** What is to be answered first, by its date; then what waits for the secretariat, then what is done. */
export function inOrder(cases: readonly DepartmentCase[]): DepartmentCase[] {
  const rank = { assigned: 0, unassigned: 1, submitted: 2, answered: 3, closed: 4 } as const
  const at = (one: DepartmentCase): number => (isOpen(one) ? (one.due_wall_ms ?? Number.MAX_SAFE_INTEGER) : -(one.answer?.submitted_wall_ms ?? 0))
  return [...cases].sort((one, two) => rank[one.state] - rank[two.state] || at(one) - at(two))
}

export function authorWords(one: DepartmentCase, t: Translate): string {
  return one.authors > 1 ? t('quote.group', { name: one.nickname, n: one.authors }) : t('quote.by', { name: one.nickname })
}
