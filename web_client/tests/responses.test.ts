import { beforeEach, describe, expect, it } from 'vitest'
import type { DepartmentCase } from '@/api/department'
import type { ResponseCard } from '@/api/responses'
import { caseInAddress } from '@/components/case-address'
import { dayOf, daysUntil, dueOf, inDays, spanOf } from '@/components/case-time'
import { i18n } from '@/i18n'
import { departmentEn } from '@/i18n/department.en'
import { departmentZhCN } from '@/i18n/department.zh-CN'
import { forgetDraft, keepDraft, keepHandler, readDraft, readHandler } from '@/pages/department/drafts'
import { i18n as departmentI18n } from '@/pages/department/i18n'
import { authorWords, inOrder, sentenceOf } from '@/pages/department/standing'
import { authorsOf, earliest, historyWords, isOverdue, standingOf } from '@/pages/desk/responses/case-words'
import { fullStorage } from './fakes'

const DAY = 86_400_000
// A Tuesday at noon, at the place of whoever reads.
const NOW = new Date(2026, 11, 1, 12, 0).getTime()
const { t, te } = i18n.global
const words = { t, te: (key: string) => te(key, 'zh-CN'), locale: 'zh-CN', nowMs: NOW }

const card = (more: Partial<ResponseCard>): ResponseCard => ({
  id: 'rs1',
  number: 7,
  label: '第 2026-1120-07 号',
  comment_id: 'c1',
  group_id: 'g1',
  promotion_id: null,
  text: '能不能安排夜间巡访？',
  nickname: '退休教师',
  region: '',
  authors: 1,
  state: 'assigned',
  department: { id: 'dp1', name: '市民政局' },
  suggested_department: null,
  due_wall_ms: NOW + 10 * DAY,
  overdue_days: 0,
  reminded: 0,
  extended: 0,
  extension: null,
  answer: null,
  earlier: null,
  returned_reason: null,
  program_from_ms: null,
  program_to_ms: null,
  opened_wall_ms: NOW - DAY,
  closed_wall_ms: null,
  ratings: { satisfied: 0, fairly: 0, unsatisfied: 0 },
  follow_ups: [],
  at_wall_ms: NOW - 2 * DAY,
  ...more,
})
const ANSWER = { text: '可以。', visibility: 'public' as const, handler: '', submitted_wall_ms: NOW - 7_200_000, approved_wall_ms: null }

describe('when a case is due', () => {
  it('counts midnights, not hours', () => {
    const nextMorning = new Date(2026, 11, 2, 0, 5).getTime()
    expect(daysUntil(nextMorning, NOW)).toBe(1)
    expect(daysUntil(new Date(2026, 11, 1, 23, 59).getTime(), NOW)).toBe(0)
    expect(daysUntil(new Date(2026, 10, 29, 12).getTime(), NOW)).toBe(-2)
  })

  it.each([
    [NOW + 10 * DAY, 0, '', '还剩 10 天'],
    [NOW + 3 * DAY, 0, 'warn', '还剩 3 天'],
    [NOW + 3_600_000, 0, 'warn', '今天到期'],
    [NOW + 1000, 1, 'bad', '逾期 1 个工作日'],
    [NOW - 4 * DAY, 2, 'bad', '逾期 2 个工作日'],
  ])('says %i with %i days over', (due, over, tone, said) => {
    expect(dueOf(due, over, NOW, t)).toEqual({ tone, words: said })
  })

  it('names the year only where it is another one', () => {
    expect(dayOf(NOW, 'zh-CN', NOW)).toBe('12月1日')
    expect(dayOf(new Date(2027, 0, 2).getTime(), 'zh-CN', NOW)).toBe('2027年1月2日')
  })

  it('says spans as people do', () => {
    expect([40 * 60_000, 2 * 3_600_000, 50 * 3_600_000].map((ms) => spanOf(ms, t))).toEqual(['40 分钟', '2 小时', '2 天'])
  })

  it('proposes days that end when offices close, after the date and after today', () => {
    expect(new Date(inDays(14, NOW)).getHours()).toBe(18)
    expect(daysUntil(inDays(14, NOW), NOW)).toBe(14)
    expect(daysUntil(earliest(NOW - 5 * DAY, NOW), NOW)).toBe(1)
    expect(daysUntil(earliest(NOW + 5 * DAY, NOW), NOW)).toBe(6)
  })
})

describe('whose turn it is', () => {
  it('is the secretariat’s where an answer came, where nobody is asked, and where somebody wants more time', () => {
    expect(standingOf(card({ state: 'submitted', answer: ANSWER }), true, words)).toEqual({ tone: '', words: '请您审核', more: '答复已到 2 小时' })
    expect(standingOf(card({ state: 'unassigned', department: null }), true, words)).toEqual({ tone: '', words: '请您分派', more: '已等 1 天' })
    expect(standingOf(card({ state: 'unassigned', opened_wall_ms: NOW - 5000 }), true, words).more).toBe('刚刚列入')
    const extension = { until_wall_ms: NOW + 20 * DAY, reason: '', asked_wall_ms: NOW }
    expect(standingOf(card({ extension }), true, words)).toEqual({ tone: '', words: '请您答复延期', more: '想延到 12月21日' })
  })

  it('does not ask those who may only look', () => {
    expect(standingOf(card({ state: 'submitted', answer: ANSWER }), false, words).words).toBe('等待审核')
    expect(standingOf(card({ state: 'unassigned' }), false, words).words).toBe('等待分派')
    const extension = { until_wall_ms: NOW + 20 * DAY, reason: '', asked_wall_ms: NOW }
    expect(standingOf(card({ extension }), false, words).words).toBe('还剩 10 天')
  })

  it('tells of one rating what it was, and of several only when it was answered', () => {
    const done = card({ state: 'answered', answer: { ...ANSWER, approved_wall_ms: NOW }, ratings: { satisfied: 2, fairly: 0, unsatisfied: 0 } })
    expect(standingOf(done, true, words)).toEqual({ tone: 'ok', words: '已答复', more: '满意' })
    expect(standingOf({ ...done, ratings: { satisfied: 2, fairly: 1, unsatisfied: 0 } }, true, words).more).toBe('12月1日')
  })

  it('is late only while the department has it', () => {
    expect(isOverdue(card({ due_wall_ms: NOW - 1 }), NOW)).toBe(true)
    expect(isOverdue(card({ due_wall_ms: NOW - 1, state: 'submitted' }), NOW)).toBe(false)
    expect(isOverdue(card({ due_wall_ms: null }), NOW)).toBe(false)
  })

  it('says for how many somebody stands', () => {
    expect(authorsOf(card({ authors: 58 }), t)).toBe('退休教师等 58 人')
    expect(authorsOf(card({}), t)).toBe('退休教师')
  })
})

describe('what was done with a case', () => {
  const line = (action: string, detail: Record<string, unknown>, by: string | null = '刘秘书') => historyWords({ at_wall_ms: NOW, action, by, detail }, words)

  it('tells an assignment from a handing on, with date, reason and who did it', () => {
    expect(line('response.assigned', { name: '市民政局', due_wall_ms: NOW + DAY })).toEqual({ head: '分派给市民政局', lines: ['12月2日到期', '刘秘书'], bad: false })
    const moved = line('response.assigned', { name: '市民政局', before: 'dp0', due_wall_ms: NOW + DAY, reason: '由互助点承担' })
    expect([moved.head, moved.lines]).toEqual(['转给市民政局', ['12月2日到期', '理由：由互助点承担', '刘秘书']])
  })

  it('names a department once', () => {
    expect(line('response.submitted', {}, '市民政局')).toEqual({ head: '市民政局提交答复', lines: ['等待秘书处审核'], bad: false })
    expect(line('response.refused', { name: '市民政局', reason: '不归我局' }, '市民政局')).toEqual({ head: '市民政局认为不归本部门办理', lines: ['理由：不归我局'], bad: true })
  })

  it('says where it came from, whether an answer is public, and what reached the department', () => {
    expect(line('response.opened', { promotion: 'ag1' }).head).toBe('上会后自动列入办理')
    expect(line('response.opened', { promotion: null }).head).toBe('列入办理')
    expect(line('response.approved', { visibility: 'private' }).head).toBe('答复通过，只回复本人')
    expect(line('notice.sent', { kind: 'before', channel: 'email' }, null)).toEqual({ head: '提醒已送达', lines: ['邮件'], bad: false })
    expect(line('notice.sent', { kind: 'assigned', channel: 'webhook' }, null).head).toBe('通知已送达')
    expect(line('notice.failed', { kind: 'before', channel: 'email' }, null).bad).toBe(true)
    expect(line('response.rated', { rating: 'fairly' }, null).head).toBe('提问人评价：基本满意')
  })

  it('has a word for what it does not know', () => {
    expect(line('response.something_new', {}, null)).toEqual({ head: '其他变动', lines: [], bad: false })
  })
})

describe('a case in the address', () => {
  it.each([
    ['#case=rs_01AB-c', 'rs_01AB-c'],
    ['#token=abc', null],
    ['#case=', null],
    ['#case=<script>', null],
    ['', null],
  ])('%s', (hash, id) => expect(caseInAddress(hash)).toBe(id))
})

describe('the department’s page', () => {
  const td = departmentI18n.global.t
  const one = (more: Partial<DepartmentCase>): DepartmentCase => card(more as Partial<ResponseCard>) as DepartmentCase
  const says = (more: Partial<DepartmentCase>): [string, string] => {
    const { tone, head } = sentenceOf(one(more), 'zh-CN', NOW, td)
    return [tone, head]
  }

  it('says in one sentence what is to be done', () => {
    expect(says({})).toEqual(['', '请在 12月11日前答复'])
    expect(says({ due_wall_ms: NOW + 2 * DAY })).toEqual(['warn', '还剩 2 天，12月3日到期'])
    expect(says({ due_wall_ms: NOW + 3_600_000 })).toEqual(['warn', '今天到期，请在下班前答复'])
    expect(says({ due_wall_ms: NOW - 4 * DAY, overdue_days: 2 })).toEqual(['bad', '这件已逾期 2 个工作日，请尽快答复'])
    expect(says({ returned_reason: '写清找谁' })).toEqual(['warn', '请补充后重新提交'])
    expect(says({ returned_reason: '写清找谁', due_wall_ms: NOW - 4 * DAY, overdue_days: 2 })[0]).toBe('bad')
    expect(says({ extension: { until_wall_ms: NOW + 20 * DAY, reason: '', asked_wall_ms: NOW } })[1]).toBe('已申请延期到 12月21日，等秘书处同意')
    expect(says({ state: 'submitted', answer: ANSWER })).toEqual(['ok', '已提交，秘书处审核后公开'])
    expect(says({ state: 'submitted', answer: { ...ANSWER, visibility: 'private' } })[1]).toBe('已提交，秘书处审核后回复提问人')
    expect(says({ state: 'answered', answer: ANSWER, authors: 58 })).toEqual(['ok', '已公开，58 位网友会收到'])
    expect(says({ state: 'closed' })).toEqual(['ok', '已办结'])
  })

  it('shows why it came back', () => {
    expect(sentenceOf(one({ returned_reason: '写清找谁' }), 'zh-CN', NOW, td).text).toBe('秘书处：写清找谁')
  })

  it('puts what is to be answered first, by its date, and what is done last', () => {
    const cases = [
      one({ id: 'done', state: 'closed' }),
      one({ id: 'sent', state: 'submitted', answer: ANSWER }),
      one({ id: 'later', due_wall_ms: NOW + 9 * DAY }),
      one({ id: 'late', due_wall_ms: NOW - DAY }),
    ]
    expect(inOrder(cases).map((each) => each.id)).toEqual(['late', 'later', 'sent', 'done'])
    expect(cases[0]?.id, 'the given list stays as it was').toBe('done')
  })

  it('names who asked', () => {
    expect(authorWords(one({ authors: 203, nickname: '护工大姐' }), td)).toBe('网友“护工大姐”等 203 人')
    expect(authorWords(one({}), td)).toBe('网友“退休教师”')
  })

  it('has its words in both languages with the same places, none of them empty', () => {
    type Tree = { [key: string]: string | Tree }
    const flat = (tree: Tree, path = ''): [string, string][] =>
      Object.entries(tree).flatMap(([key, value]): [string, string][] => (typeof value === 'string' ? [[path + key, value]] : flat(value, `${path}${key}.`)))
    const places = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '').sort()
    const english = new Map(flat(departmentEn))
    const chinese = flat(departmentZhCN)
    expect([...english.keys()].sort()).toEqual(chinese.map(([key]) => key).sort())
    for (const [key, text] of chinese) {
      expect(text, key).not.toMatch(/[!！]|^\s*$/)
      expect(places(english.get(key) ?? ''), key).toEqual(places(text))
    }
  })
})

describe('what a clerk has not submitted yet', () => {
  beforeEach(() => window.localStorage.clear())

  it('is there again after the page was closed, until it was submitted', () => {
    expect(readDraft('rs1')).toBeNull()
    expect(keepDraft('rs1', { text: '写到一半', visibility: 'private' })).toBe(true)
    expect(readDraft('rs1')).toEqual({ text: '写到一半', visibility: 'private' })
    expect(readDraft('rs2')).toBeNull()
    forgetDraft('rs1')
    expect(readDraft('rs1')).toBeNull()
  })

  it('is not broken by what somebody else put there', () => {
    window.localStorage.setItem('yuanshang.answer.rs1', '{')
    expect(readDraft('rs1')).toBeNull()
    window.localStorage.setItem('yuanshang.answer.rs1', '{"text":"有","visibility":"anything"}')
    expect(readDraft('rs1')).toEqual({ text: '有', visibility: 'public' })
  })

  it('is there until the page is closed where the device keeps nothing', () => {
    const room = fullStorage()
    expect(keepDraft('rs9', { text: '写到一半', visibility: 'public' })).toBe(false)
    expect(readDraft('rs9')?.text).toBe('写到一半')
    room()
  })

  it('remembers who answers', () => {
    expect(readHandler()).toBe('')
    keepHandler('养老服务科 李科员')
    expect(readHandler()).toBe('养老服务科 李科员')
  })
})
