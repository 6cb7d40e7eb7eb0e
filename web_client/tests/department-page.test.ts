import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, type EffectScope } from 'vue'
import type { DepartmentCase, DepartmentDoor } from '@/api/department'
import { useDepartment } from '@/pages/department/use-department'
import { FakeServer, later, type FakeAnswer } from './fake-server'
import { settle } from './fakes'

const one = (id: string, dueWallMs: number, state: DepartmentCase['state'] = 'assigned'): DepartmentCase => ({
  ...{ id, label: id, text: id, nickname: '老李', region: '', authors: 2, promotion_id: null, state, due_wall_ms: dueWallMs, overdue_days: 0, reminded: 0 },
  ...{ extension: null, answer: null, returned_reason: null, ratings: { satisfied: 0, fairly: 0, unsatisfied: 0 }, follow_ups: [], opened_wall_ms: 0, at_wall_ms: 0 },
})
const door = (...cases: DepartmentCase[]): FakeAnswer => ({
  body: { consultation: { id: 'c1', title: '题', organization: null, started_wall_ms: 1 }, department: { name: '市民政局' }, valid_until_wall_ms: null, cases } satisfies DepartmentDoor,
})

let server: FakeServer
let scope: EffectScope

async function open(hash = ''): Promise<ReturnType<typeof useDepartment>> {
  window.history.replaceState(null, '', `/d/code${hash}`)
  scope = effectScope()
  const page = scope.run(() => useDepartment('code')) as ReturnType<typeof useDepartment>
  await settle()
  return page
}

beforeEach(() => {
  vi.useFakeTimers()
  server = new FakeServer()
  vi.stubGlobal('fetch', server.fetch)
  vi.stubGlobal('scrollTo', () => undefined)
})
afterEach(() => {
  scope.stop()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

describe('the page of a department', () => {
  it('shows the most urgent case, and does not put another one in its place that comes', async () => {
    server.answers['GET /department'] = () => door(one('a', 5))
    const page = await open()
    expect(page.current.value?.id).toBe('a')
    server.answers['GET /department'] = () => door(one('b', 1), one('a', 5))
    await page.look()
    expect(page.cases.value.map((each) => each.id)).toEqual(['b', 'a'])
    expect(page.current.value?.id).toBe('a')
    server.answers['GET /department'] = () => door(one('b', 1))
    await page.look()
    expect(page.current.value?.id).toBe('b')
  })

  it('lets no slow answer take the place of a newer one', async () => {
    server.answers['GET /department'] = () => door(one('a', 5))
    const page = await open()
    const slow = later()
    server.answers['GET /department'] = () => slow.answer
    const first = page.look()
    server.answers['GET /department'] = () => door(one('a', 5, 'submitted'))
    await page.look()
    slow.come(door(one('a', 5)))
    await first
    expect(page.current.value?.state).toBe('submitted')
  })

  it('keeps the case in hand open when it was answered, and leaves alone who went on to another one', async () => {
    server.answers['GET /department'] = () => door(one('a', 1), one('b', 2))
    server.answers['POST /department/cases/a/answer'] = () => {
      server.answers['GET /department'] = () => door(one('a', 1, 'submitted'), one('b', 2))
      return { body: { case: one('a', 1, 'submitted') } }
    }
    const page = await open()
    expect(await page.act((all) => all.answer('a', '可以', 'public', ''))).toBeNull()
    expect([page.current.value?.id, page.current.value?.state]).toEqual(['a', 'submitted'])

    const slow = later()
    server.answers['POST /department/cases/a/answer'] = () => slow.answer
    const sending = page.act((all) => all.answer('a', '可以', 'public', ''))
    page.choose('b')
    slow.come({ body: { case: one('a', 1, 'submitted') } })
    await sending
    expect(page.current.value?.id).toBe('b')
  })

  it('stays at another case when one that was given back goes', async () => {
    server.answers['GET /department'] = () => door(one('a', 1), one('b', 2))
    const slow = later()
    server.answers['POST /department/cases/a/refuse'] = () => slow.answer
    const page = await open('#case=a')
    const refusing = page.act((all) => all.refuse('a', '不归我局'), true)
    page.choose('b')
    slow.come({ body: { case: one('a', 1, 'unassigned') } })
    await refusing
    expect([page.current.value?.id, window.location.hash]).toEqual(['b', '#case=b'])
  })

  it('shows what is alike of the case that was asked for last', async () => {
    server.answers['GET /department'] = () => door(one('a', 1), one('b', 2))
    const slow = later()
    server.answers['GET /department/cases/a'] = () => slow.answer
    server.answers['GET /department/cases/b'] = () => ({ body: { case: one('b', 2), similar: ['乙'] } })
    const page = await open()
    const first = page.loadSimilar('a')
    await page.loadSimilar('b')
    slow.come({ body: { case: one('a', 1), similar: ['甲'] } })
    await first
    expect(page.similar.value).toEqual({ id: 'b', texts: ['乙'] })
  })
})
