/** The account in words and rows, so that the page itself only lays them out. */
import type { Account, DepartmentAccount } from '@/api/account'
import { dayOf } from '@/components/case-time'

type Translate = (key: string, values?: Record<string, unknown>) => string

/** More would not fit on the page beside the rest. */
const MOST_DEPARTMENTS = 10
const MANY_ROWS = 8
const LONG_TEXT = 30
const LONG_TITLE = 36

/** Never 100 or 0 of what is only nearly so; null of nothing. */
export function percent(part: number, whole: number): number | null {
  if (whole === 0) return null
  const share = Math.round((part / whole) * 100)
  return part > 0 && part < whole ? Math.min(99, Math.max(1, share)) : share
}

export function timeOf(wallMs: number, locale: string): string {
  return new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hour12: false }).format(wallMs)
}

/** The sentence that can be read aloud, and what stands below it. */
export function sentences({ responses, comments, median_days: median, ratings }: Account, locale: string, t: Translate): { head: string; text: string } {
  const comma = locale === 'zh-CN' ? '，' : ', '
  if (responses.total === 0) {
    const received = new Intl.NumberFormat(locale).format(comments.received)
    return { head: comments.received > 0 ? t('account.say.none', { n: received }) : t('account.say.silent'), text: t('account.say.noneText') }
  }
  const said = [t('account.say.total', { n: responses.total }), t('account.say.answered', { n: responses.answered })]
  if (responses.overdue > 0) said.push(t('account.say.overdue', { n: responses.overdue }))
  const head = said.join(comma)
  const rated = ratings.satisfied + ratings.fairly + ratings.unsatisfied
  const parts: string[] = []
  if (median !== null) parts.push(median < 1 ? t('account.say.medianDay') : t('account.say.median', { n: median }))
  if (rated > 0) parts.push(t('account.say.rated', { n: rated, good: ratings.satisfied + ratings.fairly }))
  else if (responses.answered > 0) parts.push(t('account.say.unrated'))
  return { head, text: parts.join(locale === 'zh-CN' ? '' : ' ') }
}

export interface Step {
  key: 'viewers' | 'received' | 'shown' | 'promoted' | 'total' | 'answered'
  value: string
  more: string
}

/** From viewers to answers. */
export function steps(account: Account, locale: string, t: Translate): Step[] {
  const { viewers, comments, promoted, responses, departments } = account
  const number = new Intl.NumberFormat(locale)
  const n = (value: number): string => number.format(value)
  const share = (key: string, part: number, whole: number): string => {
    const found = percent(part, whole)
    return found === null ? t(`account.flow.${key}Only`) : t(`account.flow.${key}More`, { n: found })
  }
  return [
    {
      key: 'viewers',
      value: viewers.total === null ? '—' : n(viewers.total),
      more: viewers.total === null ? t('account.flow.unknown') : viewers.peak === null ? t('account.flow.viewersOnly') : t('account.flow.viewersMore', { n: n(viewers.peak) }),
    },
    { key: 'received', value: n(comments.received), more: t('account.flow.receivedMore', { n: n(comments.groups) }) },
    { key: 'shown', value: n(comments.shown), more: share('shown', comments.shown, comments.received) },
    { key: 'promoted', value: n(promoted.comments), more: t('account.flow.promotedMore', { n: n(promoted.authors) }) },
    { key: 'total', value: n(responses.total), more: t('account.flow.totalMore', { n: n(departments.filter((each) => each.total > 0).length) }) },
    { key: 'answered', value: n(responses.answered), more: share('answered', responses.answered, responses.total) },
  ]
}

export type DepartmentRow = Omit<DepartmentAccount, 'id'>

/** The first each by itself, the rest as one row, so that the page stays one page. */
export function departmentRows(departments: readonly DepartmentAccount[], t: Translate): DepartmentRow[] {
  const asked = departments.filter((each) => each.total > 0)
  if (asked.length <= MOST_DEPARTMENTS) return asked
  const rest = asked.slice(MOST_DEPARTMENTS)
  const sum = (of: (each: DepartmentAccount) => number): number => rest.reduce((all, each) => all + of(each), 0)
  return [
    ...asked.slice(0, MOST_DEPARTMENTS),
    {
      name: t('account.departments.others', { n: rest.length }),
      total: sum((each) => each.total),
      answered: sum((each) => each.answered),
      in_hand: sum((each) => each.in_hand),
      overdue: sum((each) => each.overdue),
      median_days: null,
      ratings: {
        satisfied: sum((each) => each.ratings.satisfied),
        fairly: sum((each) => each.ratings.fairly),
        unsatisfied: sum((each) => each.ratings.unsatisfied),
      },
    },
  ]
}

/** 5.0 beside 4.2: one figure under the other. */
/** For a cell; what took less than a day says so. */
export const daysText = (days: number | null): string => (days === null ? '' : days < 1 ? '< 1' : days.toFixed(1))

export const ratingsText = ({ satisfied, fairly, unsatisfied }: Account['ratings']): string => `${satisfied} / ${fairly} / ${unsatisfied}`

/** More than a page holds at its usual size: then it is printed smaller. */
export function isDense({ departments, consultation, open }: Account): boolean {
  const rows = departments.filter((each) => each.total > 0).length
  const long = open.filter((each) => each.text.length > LONG_TEXT).length
  return rows + long > MANY_ROWS || consultation.title.length > LONG_TITLE
}

/** When it was: a day with both times, or what is known of it. */
export function spanText({ consultation }: Account, locale: string, nowMs: number, t: Translate): string {
  const { started_wall_ms: from, ended_wall_ms: to } = consultation
  if (from === null) return t('account.notStarted')
  const values = { date: dayOf(from, locale, nowMs), from: timeOf(from, locale) }
  return to === null ? t('account.since', values) : t('account.span', { ...values, to: timeOf(to, locale) })
}

/** 3f9a 51c7 … 88d0 c21e: enough to compare by eye */
export function shortHash(hash: string): string {
  const fours = hash.match(/.{1,4}/g) ?? []
  return fours.length <= 4 ? fours.join(' ') : `${fours.slice(0, 2).join(' ')} … ${fours.slice(-2).join(' ')}`
}
