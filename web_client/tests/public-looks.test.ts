import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, ref, type EffectScope } from 'vue'
import type { PublicConsultation } from '@/api/public'
import { keepList, keptKey } from '@/pages/public/comments/kept'
import { useComments } from '@/pages/public/comments/use-comments'
import { useOwn } from '@/pages/public/comments/use-own'
import { usePageWatch } from '@/pages/public/page-watch'
import { FakeServer, later, type FakeAnswer } from './fake-server'
import { settle } from './fakes'

const AT = '/public/consultations/c1'
const PAGE = { id: 'c1', status: 'live', comments: null } as unknown as PublicConsultation
const comments = (...ids: string[]): FakeAnswer => ({ body: { items: ids.map((id) => ({ id, text: id, status: 'approved', likes: 0 })), next: null, total: ids.length } })

let server: FakeServer
let scope: EffectScope

beforeEach(() => {
  vi.useFakeTimers()
  window.localStorage.clear()
  server = new FakeServer()
  vi.stubGlobal('fetch', server.fetch)
  scope = effectScope()
})
afterEach(() => {
  scope.stop()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

/** The first of two questions is answered last. */
async function crossed(name: string, look: () => unknown, older: FakeAnswer, newer: FakeAnswer): Promise<void> {
  const slow = later()
  server.answers[name] = () => slow.answer
  look()
  server.answers[name] = () => newer
  look()
  await settle()
  slow.come(older)
  await settle()
}

describe('a slow answer does not take the place of a newer one', () => {
  it('in everybody’s comments', async () => {
    server.answers[`GET ${AT}/comments`] = () => comments('a')
    const shown = scope.run(() => useComments('c1', () => PAGE, () => 'live')) as ReturnType<typeof useComments>
    await settle()
    await crossed(`GET ${AT}/comments`, () => void shown.look(), comments('a'), comments('b', 'a'))
    expect(shown.list.value.items.map((each) => each.id)).toEqual(['b', 'a'])
  })

  it('in one’s own', async () => {
    keepList(keptKey('comments', 'c1'), [{ id: 'm1', text: 'm', status: 'pending', at_wall_ms: Date.now() }])
    const told = (status: string): FakeAnswer => ({ body: { items: [{ id: 'm1', status, text: 'm', nickname: '' }] } })
    server.answers[`GET ${AT}/comments/mine`] = () => told('pending')
    const own = scope.run(() => useOwn('c1', () => null)) as ReturnType<typeof useOwn>
    await settle()
    await crossed(`GET ${AT}/comments/mine`, () => void own.look(), told('pending'), told('approved'))
    expect(own.comments.value[0]?.status).toBe('approved')
  })

  it('in the page around them', async () => {
    const told = (status: string): FakeAnswer => ({ body: { ...PAGE, status } })
    server.answers[`GET ${AT}`] = () => told('scheduled')
    const watching = scope.run(() => usePageWatch('c1', ref(false))) as ReturnType<typeof usePageWatch>
    await settle()
    await crossed(`GET ${AT}`, () => window.dispatchEvent(new Event('online')), told('scheduled'), told('live'))
    expect(watching.page.value?.status).toBe('live')
  })
})
