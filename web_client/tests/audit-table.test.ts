import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { AcrossLine } from '@/api/administration'
import { i18n } from '@/i18n'
import { auditRow, auditTable, csvOf, STAFF } from '@/pages/admin/audit-table'
import { fieldWords } from '@/pages/desk/trace/trace-words'
import { MOST_LINES, useAdminAudit } from '@/stores/admin-audit'

const line = (number: number, chain: string, title: string | null, more: Partial<AcrossLine['line']> = {}): AcrossLine => ({
  chain,
  title,
  line: { number, at_ms: 1000 * number, program_time_ms: null, actor_kind: 'staff', actor_id: 'u_1', action: 'rules.changed', subject: null, content: {}, names: {}, hash: `h${number}`, ...more },
})

describe('the trace as a table', () => {
  const { t, te } = i18n.global
  const words = { t, te: (key: string) => te(key, 'zh-CN') }

  it('has headings, words for codes, and all that the line says', () => {
    const rows = [line(7, STAFF, null, { content: { by_role: 'administrator', max_live: 3 } }), line(2, 'c_1', '水资源协商', { action: 'never.seen' })].map((each) => auditRow(each, new Map([['u_1', '李敏']]), words))
    const [head, first, second] = auditTable(rows, (ms) => `${ms} ms`, words)
    expect(head).toEqual(['时间', '谁', '身份', '协商会', '做了什么', '对象与内容', '序号', '内容', '校验码'])
    expect(first).toEqual(['7000 ms', '李敏', '管理员', '账号和机构', t('trace.action.rules.changed'), '', '7', '{"by_role":"administrator","max_live":3}', 'h7'])
    expect(second?.slice(3, 5)).toEqual(['水资源协商', 'never.seen'])
  })

  it('names fields and codes in words where there are some', () => {
    const people = new Map([['v_1', '青禾县分会场']])
    expect(fieldWords('by_role', 'administrator', people, words)).toEqual(['身份', '管理员'])
    expect(fieldWords('venue_id', 'v_1', people, words)).toEqual(['会场', '青禾县分会场'])
    expect(fieldWords('max_live', 3, people, words)).toEqual(['max_live', '3'])
  })

  it('is CSV that no spreadsheet program computes', () => {
    expect(csvOf([['甲', '说“好”，"真"'], ['=1+1', '-2'], ['@x', 'a\nb']])).toBe('\uFEFF"甲","说“好”，""真"""\r\n"\'=1+1","\'-2"\r\n"\'@x","a\nb"\r\n')
  })
})

describe('all that is found', () => {
  let pages: { items: AcrossLine[]; next: string | null }[] = []
  let asked: URLSearchParams[] = []
  beforeEach(() => {
    window.localStorage.setItem('yuanshang.staff', JSON.stringify({ token: 'st_x', expires_at_ms: Date.now() + 1e6 }))
    setActivePinia(createPinia())
    asked = []
    vi.stubGlobal('fetch', (path: string) => {
      asked.push(new URLSearchParams(path.split('?')[1]))
      const page = pages[asked.length - 1]
      return Promise.resolve(page ? new Response(JSON.stringify({ ...page, looked_until_ms: null })) : new Response('{"code":"failed"}', { status: 500 }))
    })
  })
  const many = (first: number, count: number): AcrossLine[] => Array.from({ length: count }, (_, at) => line(first - at, STAFF, null))

  it('is read to the end, an empty page between or not, with the filter of the beginning', async () => {
    pages = [{ items: many(9, 2), next: 'a' }, { items: [], next: 'b' }, { items: many(3, 1), next: null }]
    const audit = useAdminAudit()
    audit.wanted.action = 'rules.changed'
    const reading = audit.whole()
    expect(audit.gathering).toBe(true)
    expect(await audit.whole()).toBeNull()
    audit.wanted.action = 'user.added'
    const found = await reading
    expect(found?.lines.map((each) => each.line.number)).toEqual([9, 8, 3])
    expect(found?.cut).toBe(false)
    expect(asked.map((each) => each.get('before'))).toEqual([null, 'a', 'b'])
    expect(new Set(asked.map((each) => each.get('action')))).toEqual(new Set(['rules.changed']))
    expect(audit.gathering).toBe(false)
  })

  it('ends where a table is long enough, and says so', async () => {
    pages = Array.from({ length: MOST_LINES / 500 + 1 }, (_, at) => ({ items: many(20_000 - at * 500, 500), next: String(at) }))
    const found = await useAdminAudit().whole()
    expect([found?.lines.length, found?.cut, asked.length]).toEqual([MOST_LINES, true, MOST_LINES / 500])
  })

  it('is nothing where a page fails', async () => {
    pages = [{ items: many(9, 2), next: 'a' }]
    const audit = useAdminAudit()
    await expect(audit.whole()).rejects.toThrow()
    expect(audit.gathering).toBe(false)
  })
})
