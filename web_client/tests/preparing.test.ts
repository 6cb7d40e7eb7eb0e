import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { PreparedConsultation } from '@/api/preparing'
import { useAccess } from '@/stores/access'
import { usePreparing } from '@/stores/preparing'
import { useSession } from '@/stores/session'

/** The outside world: a server that keeps one consultation and its revision, and tokens that run out. */
class FakeServer {
  row = { id: 'c1', title: '议题', organization: '澄川市政协', revision: 1 } as PreparedConsultation
  good = 'good'
  readonly asked: string[] = []

  answer = (address: string, init: RequestInit): Promise<Response> => {
    const method = init.method ?? 'GET'
    const path = address.replace('/api/v1', '')
    const bearer = (init.headers as Record<string, string>).Authorization
    this.asked.push(`${method} ${path}`)
    if (path === '/consultations/c1/token') return this.say(bearer === 'Bearer st_1' ? 201 : 401, { token: this.good, code: 'session_expired' })
    if (bearer !== `Bearer ${this.good}`) return this.say(401, { code: 'token_expired' })
    if (path === '/session') return this.say(200, { consultation: { id: 'c1', status: 'draft', title: '' }, room_full: false })
    if (path.endsWith('/readiness')) return this.say(200, { ready: true, missing: [] })
    if (method === 'PATCH') {
      const { revision, ...fields } = JSON.parse(init.body as string) as { revision: number }
      if (revision !== this.row.revision) return this.say(409, { code: 'edit_conflict' })
      this.change(fields)
    }
    return this.say(200, this.row)
  }

  change(fields: object): void {
    this.row = { ...this.row, ...fields, revision: this.row.revision + 1 }
  }

  private say(status: number, body: unknown): Promise<Response> {
    return Promise.resolve(new Response(JSON.stringify(body), { status }))
  }
}

let server: FakeServer

beforeEach(() => {
  window.history.replaceState(null, '', '/desk/c1/prepare')
  window.sessionStorage.clear()
  window.localStorage.clear()
  setActivePinia(createPinia())
  server = new FakeServer()
  vi.stubGlobal('fetch', server.answer)
})
afterEach(() => vi.unstubAllGlobals())

async function opened(): Promise<ReturnType<typeof usePreparing>> {
  useSession().token = server.good
  const prepared = usePreparing()
  await prepared.load()
  return prepared
}

describe('editing a consultation', () => {
  it('saves one field after the other with the revision that the one before made', async () => {
    const prepared = await opened()
    await Promise.all([prepared.edit({ title: '一' }), prepared.edit({ title: '二' })])
    expect(server.row).toMatchObject({ title: '二', revision: 3 })
    expect(prepared.saving).toBe('saved')
  })

  it('goes on where others changed another field', async () => {
    const prepared = await opened()
    server.change({ organization: '青禾县政协' })
    await prepared.edit({ title: '新的议题' })
    expect(server.row).toMatchObject({ title: '新的议题', organization: '青禾县政协', revision: 3 })
    expect(prepared.conflict).toBeNull()
  })

  it('shows what others wrote in the same field, and takes one’s own on request', async () => {
    const prepared = await opened()
    server.change({ title: '别人的' })
    await prepared.edit({ title: '我的' })
    expect(prepared.conflict).toEqual({ fields: ['title'], mine: { title: '我的' } })
    expect(prepared.consultation?.title).toBe('别人的')
    await prepared.takeMine()
    expect(server.row.title).toBe('我的')
    expect(prepared.conflict).toBeNull()
  })
})

describe('opening the desk', () => {
  const login = (token: string): void => window.localStorage.setItem('yuanshang.staff', JSON.stringify({ token, expires_at_ms: Date.now() + 60_000 }))

  it('gets a token for the one who is logged in', async () => {
    login('st_1')
    await useAccess().load()
    expect(useSession().refusal).toBeNull()
    expect(useSession().info?.consultation.id).toBe('c1')
  })

  it('asks for a link where nobody is logged in', async () => {
    await useAccess().load()
    expect(useSession().refusal).toBe('token_missing')
  })

  it('takes another token when the old one has run out', async () => {
    login('st_1')
    const prepared = await opened()
    server.good = 'newer'
    await prepared.edit({ title: '还能改' })
    expect(server.row.title).toBe('还能改')
    expect(useSession().token).toBe('newer')
  })
})
