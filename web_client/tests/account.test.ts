import { describe, expect, it } from 'vitest'
import type { Account, DepartmentAccount } from '@/api/account'
import { i18n } from '@/i18n'
import { daysText, departmentRows, isDense, percent, sentences, shortHash, spanText, steps } from '@/pages/account/account-words'

const { t } = i18n.global
const NOW = new Date(2026, 11, 1, 11, 0).getTime()
const RATINGS = { satisfied: 14, fairly: 4, unsatisfied: 1 }
const department = (more: Partial<DepartmentAccount>): DepartmentAccount => ({
  id: 'd',
  name: '市民政局',
  total: 19,
  answered: 15,
  in_hand: 4,
  overdue: 0,
  median_days: 3.5,
  ratings: { satisfied: 7, fairly: 2, unsatisfied: 0 },
  ...more,
})
const account = (more: Partial<Account> = {}): Account => ({
  consultation: { id: 'c', title: '推进县域养老服务高质量发展', organization: null, status: 'ended', started_wall_ms: new Date(2026, 10, 20, 14, 30).getTime(), ended_wall_ms: new Date(2026, 10, 20, 17, 1).getTime() },
  as_of_wall_ms: NOW,
  venues: { main: 1, branch: 1, point: 2 },
  viewers: { total: 41_208, peak: 13_570 },
  comments: { received: 9216, groups: 1348, shown: 8317, rejected: 655, held: 212, withdrawn: 32, waiting: 0 },
  topics: [],
  other_topics: 0,
  promoted: { comments: 9, authors: 1026 },
  responses: { total: 46, answered: 33, in_hand: 13, overdue: 1, unassigned: 2 },
  median_days: 4.2,
  ratings: RATINGS,
  departments: [department({})],
  open: [],
  open_total: 13,
  trace: null,
  answers_url: '/answers/c',
  ...more,
})

describe('the sentence that is read aloud', () => {
  it('says how many, how many answered, how many late, how fast and how well', () => {
    expect(sentences(account(), 'zh-CN', t)).toEqual({
      head: '46 件意见交办，33 件已答复，1 件逾期',
      text: '一半的事项在 4.2 天内答复。19 位提问人作了评价，18 位满意或基本满意。',
    })
  })

  it('is as plain where nothing is late, rated or there', () => {
    const calm = account({ responses: { total: 2, answered: 1, in_hand: 1, overdue: 0, unassigned: 0 }, median_days: null, ratings: { satisfied: 0, fairly: 0, unsatisfied: 0 } })
    expect(sentences(calm, 'zh-CN', t)).toEqual({ head: '2 件意见交办，1 件已答复', text: '还没有提问人作评价。' })
    expect(sentences(account({ median_days: 0.3 }), 'zh-CN', t).text).toMatch(/^一半的事项不到一天就有答复。/)
    const none = account({ responses: { total: 0, answered: 0, in_hand: 0, overdue: 0, unassigned: 0 } })
    expect(sentences(none, 'zh-CN', t).head).toBe('收到网友留言 9,216 条，还没有交办的事项')
    expect(sentences({ ...none, comments: { ...none.comments, received: 0 } }, 'zh-CN', t).head).toBe('没有收到网友留言')
  })
})

describe('from viewers to answers', () => {
  it('has each figure with what it means', () => {
    expect(steps(account(), 'zh-CN', t).map((step) => [step.value, step.more])).toEqual([
      ['41,208', '人次，最高同时 13,570'],
      ['9,216', '条，合并为 1,348 组'],
      ['8,317', '条，占 90%'],
      ['9', '条，代表 1,026 人'],
      ['46', '件，1 个部门'],
      ['33', '件，占 72%'],
    ])
  })

  it('does not pretend to know viewers that nobody counted, and divides by nothing', () => {
    const none = account({ viewers: { total: null, peak: null }, comments: { received: 0, groups: 0, shown: 0, rejected: 0, held: 0, withdrawn: 0, waiting: 0 } })
    const [viewers, , shown] = steps(none, 'zh-CN', t)
    expect([viewers?.value, viewers?.more]).toEqual(['—', '未统计'])
    expect(shown?.more).toBe('条')
    expect([percent(1, 0), percent(0, 9), percent(999, 1000), percent(1, 1000), percent(9, 9)]).toEqual([null, 0, 99, 1, 100])
  })
})

describe('one page', () => {
  const many = (count: number): DepartmentAccount[] => Array.from({ length: count }, (_, at) => department({ id: `d${at}`, name: `部门${at}`, total: at + 1, answered: 1, in_hand: at, overdue: 1 }))

  it('shows each department as long as they fit, in the given order, but not who was never asked', () => {
    const rows = departmentRows([...many(10), department({ id: 'x', name: '没有交办', total: 0 })], t)
    expect(rows.map((row) => row.name)).toEqual(many(10).map((each) => each.name))
  })

  it('sums up the others where there are more, and loses none of their cases', () => {
    const all = many(14)
    const rows = departmentRows(all, t)
    expect(rows).toHaveLength(11)
    const last = rows.at(-1)
    expect([last?.name, last?.total, last?.overdue, last?.median_days]).toEqual(['另外 4 个部门', 11 + 12 + 13 + 14, 4, null])
    for (const field of ['total', 'answered', 'in_hand', 'overdue'] as const) {
      const sum = (of: readonly Record<typeof field, number>[]): number => of.reduce((before, each) => before + each[field], 0)
      expect(sum(rows), field).toBe(sum(all))
    }
  })

  it('is printed smaller where much stands on it', () => {
    expect(isDense(account())).toBe(false)
    expect(isDense(account({ departments: many(9) }))).toBe(true)
    expect(isDense(account({ consultation: { ...account().consultation, title: '题'.repeat(40) } }))).toBe(true)
    const long = { id: 'o', label: '', text: '长'.repeat(31), authors: 1, department: null, due_wall_ms: null, overdue_days: 0 }
    expect(isDense(account({ departments: many(6), open: [long, long] }))).toBe(false)
    expect(isDense(account({ departments: many(6), open: [long, long, long] }))).toBe(true)
  })
})

describe('head and foot', () => {
  it('says when it was, as far as that is known', () => {
    expect(spanText(account(), 'zh-CN', NOW, t)).toBe('11月20日 14:30 至 17:01')
    const live = account()
    expect(spanText({ ...live, consultation: { ...live.consultation, ended_wall_ms: null } }, 'zh-CN', NOW, t)).toBe('11月20日 14:30 开始')
    expect(spanText({ ...live, consultation: { ...live.consultation, started_wall_ms: null } }, 'zh-CN', NOW, t)).toBe('还没有开始')
  })

  it('shortens a hash to what the eye compares', () => {
    expect(shortHash(`3f9a51c7${'0'.repeat(48)}88d0c21e`)).toBe('3f9a 51c7 … 88d0 c21e')
    expect(shortHash('abcd')).toBe('abcd')
  })

  it('writes days one under the other', () => {
    expect([daysText(5), daysText(4.2), daysText(0.04), daysText(null)]).toEqual(['5.0', '4.2', '< 1', ''])
  })
})
