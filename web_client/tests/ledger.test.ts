import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import type { ResponseCard } from '@/api/responses'
import { useNotices } from '@/stores/notices'
import { useResponses } from '@/stores/responses'
import { useRoom } from '@/stores/room'
import { FakeServer, later, type FakeAnswer, type FakeCall } from './fake-server'
import { settle, snapshot } from './fakes'

const AT = '/consultations/c1/responses'
const LIST = `GET ${AT}`
const COUNTS = { unassigned: 1, assigned: 2, due_soon: 0, overdue: 0, submitted: 3, answered: 0, closed: 0, all: 6 }
const card = (id: string, more: Partial<ResponseCard> = {}): ResponseCard => ({ id, text: id, state: 'assigned', ...more }) as ResponseCard
const many = (n: number): ResponseCard[] => Array.from({ length: n }, (_, at) => card(`rs${at}`))

let server: FakeServer
let cases: ResponseCard[]

/** As the server pages the ledger; the tag stands for what a page holds. */
function paged({ query, tag }: FakeCall): FakeAnswer {
  const begin = cases.findIndex((each) => each.id === query.get('after')) + 1
  const items = cases.slice(begin, begin + Number(query.get('limit')))
  const next = begin + items.length < cases.length ? (items.at(-1)?.id ?? null) : null
  const now = JSON.stringify(items)
  return tag === now ? { status: 304 } : { body: { items, next, counts: COUNTS }, tag: now }
}

beforeEach(() => {
  vi.useFakeTimers()
  window.history.replaceState(null, '', '/desk/c1/responses')
  setActivePinia(createPinia())
  server = new FakeServer()
  vi.stubGlobal('fetch', server.fetch)
  cases = many(3)
  server.answers[LIST] = paged
  const told = snapshot()
  useRoom().take({ ...told, self: { ...told.self, can: ['response.manage'] } })
})
afterEach(() => {
  useResponses().stop()
  vi.clearAllTimers()
  vi.unstubAllGlobals()
  vi.useRealTimers()
})

const opened = (id: string, more: Partial<ResponseCard> = {}): FakeAnswer => ({ body: { response: card(id, more), similar: [], history: [] } })

describe('the ledger', () => {
  it('keeps all rows that were unrolled, however many, when it is looked at again', async () => {
    cases = many(350)
    const store = useResponses()
    await store.load()
    for (let at = 0; at < 3; at += 1) await store.more()
    expect([store.items?.length, store.next]).toEqual([350, null])
    const rows = store.items
    await store.load()
    expect(store.items).toBe(rows)
    cases = cases.with(320, card('rs320', { state: 'submitted' }))
    await store.load()
    expect([store.items?.length, store.items?.[320]?.state]).toEqual([350, 'submitted'])
  })

  it('unrolls the next page also when the list is looked at meanwhile', async () => {
    cases = many(150)
    const store = useResponses()
    await store.load()
    await Promise.all([store.more(), store.load()])
    expect([store.items?.length, store.loading]).toEqual([150, false])
  })

  it('begins with the first page where something else is looked at', async () => {
    cases = many(250)
    const store = useResponses()
    await store.load()
    await store.more()
    store.view = 'overdue'
    await nextTick()
    await settle()
    expect([store.items?.length, store.loading]).toEqual([100, false])
  })

  it('says that it could not be read rather than show the rows of something else', async () => {
    const store = useResponses()
    await store.load()
    server.answers[LIST] = () => ({ status: 503, body: { code: 'storage_unavailable' } })
    await store.load()
    expect(store.failed).toBe(false)
    store.view = 'overdue'
    await nextTick()
    await settle()
    expect([store.failed, store.loading]).toEqual([true, false])
    server.answers[LIST] = paged
    await store.load()
    expect(store.failed).toBe(false)
  })

  it('lets no slow answer about the open case take the place of a newer one', async () => {
    const store = useResponses()
    const slow = later()
    server.answers[`${LIST}/rs1`] = () => slow.answer
    const first = store.open('rs1')
    server.answers[`${LIST}/rs1`] = () => opened('rs1', { state: 'submitted' })
    await store.load()
    slow.come(opened('rs1'))
    await first
    expect(store.detail?.response.state).toBe('submitted')
  })

  it('reminds of every case that is due, past those whom nothing reaches and what was answered meanwhile', async () => {
    cases = many(230)
    for (const { id } of cases) server.answers[`POST ${AT}/${id}/remind`] = () => ({ body: { response: card(id) } })
    server.answers[`POST ${AT}/rs3/remind`] = () => ({ status: 409, body: { code: 'no_channel' } })
    server.answers[`POST ${AT}/rs4/remind`] = () => ({ status: 409, body: { code: 'response_changed' } })
    const store = useResponses()
    expect(await store.remindAll()).toEqual({ n: 228, missing: 1 })
    expect(server.of(`POST ${AT}/rs229/remind`)).toHaveLength(1)
    expect([store.busy, useNotices().toasts]).toEqual([false, []])
  })
})
