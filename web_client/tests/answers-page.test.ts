import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, type EffectScope } from 'vue'
import type { PublicResponse } from '@/api/public-comments'
import { useAnswersPage } from '@/pages/answers/use-answers-page'
import { keepList, keptKey } from '@/pages/public/comments/kept'
import { useAnswers } from '@/pages/public/comments/use-answers'
import { FakeServer, later, type FakeAnswer } from './fake-server'
import { settle } from './fakes'

const AT = '/public/consultations/c1'
const item = (id: string): PublicResponse => ({
  ...{ id, label: id, nickname: '杏林', region: null, authors: 1, text: id, promoted: false, state: 'answered' as const, department: null, due_wall_ms: null, overdue_days: 0 },
  ...{ reminded: 0, answer: null, program_from_ms: null, ratings: { satisfied: 0, fairly: 0, unsatisfied: 0 } },
})
const COUNTS = { total: 3, answered: 3, pending: 0, overdue: 0 }
const page = (ids: string, next: number | null = null): FakeAnswer => ({ body: { items: [...ids].map(item), next, counts: COUNTS, median_days: 1 } })
const own = (rating: string | null) => ({ id: 'm1', status: 'answered', text: 'm', nickname: '', response: { id: 'a', state: 'answered', department: null, due_wall_ms: null, answer: null, rating } })

let server: FakeServer
let scope: EffectScope

beforeEach(() => {
  vi.useFakeTimers()
  window.localStorage.clear()
  server = new FakeServer()
  vi.stubGlobal('fetch', server.fetch)
  scope = effectScope()
  server.answers = {
    [`GET ${AT}`]: () => ({ body: { id: 'c1', title: '题' } }),
    [`GET ${AT}/responses`]: () => page('ab'),
    [`GET ${AT}/comments/mine`]: () => ({ body: { items: [own('fairly')] } }),
  }
})
afterEach(() => {
  scope.stop()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
  vi.useRealTimers()
})

async function open(): Promise<ReturnType<typeof useAnswersPage>> {
  const opened = scope.run(() => useAnswersPage('c1')) as ReturnType<typeof useAnswersPage>
  await settle()
  return opened
}
const offline = (): never => {
  throw new TypeError('network')
}
const seen = (state: string): void => void vi.spyOn(document, 'visibilityState', 'get').mockReturnValue(state as DocumentVisibilityState)

describe('the list of answers', () => {
  it('says when it could not be opened, and opens when asked again', async () => {
    const { [`GET ${AT}`]: answering } = server.answers
    server.answers[`GET ${AT}`] = offline
    const opened = await open()
    expect([opened.failed.value, opened.gone.value]).toEqual([true, false])
    server.answers[`GET ${AT}`] = answering as () => FakeAnswer
    await opened.look()
    expect([opened.failed.value, opened.items.value.length]).toEqual([false, 2])
  })

  it('keeps what was shown, and what is one’s own, when a later try fails', async () => {
    keepList(keptKey('comments', 'c1'), [{ id: 'm1', text: 'm', status: 'answered', at_wall_ms: 1 }])
    const opened = await open()
    expect(opened.mine.value.get('a')?.rating).toBe('fairly')
    server.answers[`GET ${AT}/comments/mine`] = offline
    await opened.look()
    expect(opened.mine.value.get('a')?.rating).toBe('fairly')
    server.answers[`GET ${AT}`] = offline
    await opened.look()
    expect([opened.failed.value, opened.items.value.length, opened.page.value?.title]).toEqual([false, 2, '题'])
  })

  it('is gone when it is not public', async () => {
    const opened = await open()
    server.answers[`GET ${AT}`] = () => ({ status: 404, body: { code: 'not_found' } })
    await opened.look()
    expect([opened.gone.value, opened.page.value]).toEqual([true, null])
  })

  it('asks for nothing while nobody sees it, and at once when somebody does', async () => {
    await open()
    const before = server.asked.length
    seen('hidden')
    await vi.advanceTimersByTimeAsync(600_000)
    expect(server.asked).toHaveLength(before)
    seen('visible')
    document.dispatchEvent(new Event('visibilitychange'))
    await settle()
    expect(server.asked.length).toBeGreaterThan(before)
    const then = server.of(`GET ${AT}`).length
    await vi.advanceTimersByTimeAsync(60_000)
    expect(server.of(`GET ${AT}`).length).toBeGreaterThan(then)
  })
})

describe('answers page by page', () => {
  it('are there once, also when the list moved between two pages', async () => {
    server.answers[`GET ${AT}/responses`] = ({ query }) => (query.has('after') ? page('bc') : page('ab', 7))
    const answers = useAnswers('c1')
    await answers.look()
    await answers.more()
    expect(answers.items.value.map((each) => each.id).join('')).toBe('abc')
  })

  it('come once however often one presses', async () => {
    server.answers[`GET ${AT}/responses`] = ({ query }) => (query.get('after') === '7' ? page('cd', 5) : query.has('after') ? page('ef') : page('ab', 7))
    const answers = useAnswers('c1')
    await answers.look()
    await Promise.all([answers.more(), answers.more()])
    expect(answers.items.value.map((each) => each.id).join('')).toBe('abcd')
  })

  it('belong behind the list that is there when they come', async () => {
    server.answers[`GET ${AT}/responses`] = () => page('bc', 7)
    const answers = useAnswers('c1')
    await answers.look()
    const slow = later()
    server.answers[`GET ${AT}/responses`] = () => slow.answer
    const looking = answers.look()
    const growing = answers.more()
    await settle()
    server.answers[`GET ${AT}/responses`] = ({ query }) => page(query.get('after') === '8' ? 'cd' : 'wrong')
    slow.come(page('ab', 8))
    await Promise.all([looking, growing])
    expect(answers.items.value.map((each) => each.id).join('')).toBe('abcd')
  })
})
