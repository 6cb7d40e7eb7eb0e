import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { forgetStaff, keepStaff } from '@/api/accounts'
import { deviceId } from '@/api/links'
import { usePreferences } from '@/stores/preferences'
import { useSession } from '@/stores/session'
import { useStaff } from '@/stores/staff'

interface Call {
  method: string
  path: string
  body: unknown
}
let calls: Call[]
let answers: Record<string, { status?: number; body: unknown }>

const consultation = { id: 'demo', title: '议题', status: 'scheduled', scheduled_at_ms: null, organization: '澄川市政协' }
const link = { kind: 'invitee', name: '陈委员', role: 'member', title: '县医院院长', sector: '医药卫生界', venue: null, large_text: true, consultation }
const user = { id: 'u', login: 'liuxin', name: '刘欣', role: 'organizer', organization: null }

beforeEach(() => {
  calls = []
  answers = {}
  window.localStorage.clear()
  window.sessionStorage.clear()
  window.history.replaceState(null, '', '/j/abc234')
  vi.stubGlobal('fetch', (path: string, { method = 'GET', body }: { method?: string; body?: string }) => {
    calls.push({ method, path, body: body === undefined ? null : JSON.parse(body) })
    const { status = 200, body: answer } = answers[`${method} ${path}`] ?? { status: 404, body: { code: 'not_found' } }
    return Promise.resolve(new Response(status === 204 ? null : JSON.stringify(answer), { status }))
  })
  setActivePinia(createPinia())
})

describe('a personal link', () => {
  it('is looked at without being used, and used at the click', async () => {
    answers['GET /api/v1/links/abc234'] = { body: link }
    answers['POST /api/v1/links/abc234/enter'] = { status: 201, body: { token: 'tok', consultation_id: 'demo', expires_at_ms: 1 } }
    const session = useSession()
    await session.load()
    expect(session.info).toMatchObject({ name: '陈委员', role: 'member', sector: '医药卫生界', participants: null })
    expect([session.cid, session.token, session.refusal]).toEqual(['demo', null, null])
    expect(calls.map((each) => each.method)).toEqual(['GET'])
    expect(await session.enter()).toBeNull()
    expect([session.token, window.sessionStorage.getItem('yuanshang.token.demo')]).toEqual(['tok', 'tok'])
    expect([session.link, window.location.pathname]).toEqual([`${window.location.origin}/j/abc234`, '/j/abc234'])
  })

  it('switches large text on once, for those who asked for it', async () => {
    answers['GET /api/v1/links/abc234'] = { body: link }
    const preferences = usePreferences()
    await useSession().load()
    expect(preferences.large).toBe(true)
    preferences.large = false
    await useSession().load()
    expect(preferences.large).toBe(false)
  })

  it.each([
    [{ status: 404, body: { code: 'link_invalid' } }, 'link_invalid'],
    [{ body: { ...link, consultation: { ...consultation, status: 'ended' } } }, 'consultation_ended'],
  ])('that opens nothing says why', async (answer, code) => {
    answers['GET /api/v1/links/abc234'] = answer
    const session = useSession()
    await session.load()
    expect(session.refusal).toBe(code)
  })

  it('gives the code of a refusal at the click', async () => {
    answers['POST /api/v1/links/abc234/enter'] = { status: 409, body: { code: 'consultation_not_open' } }
    expect(await useSession().enter()).toBe('consultation_not_open')
  })
})

describe('staff', () => {
  it('log in, and are kept on this browser', async () => {
    answers['POST /api/v1/sessions'] = { status: 201, body: { token: 'st_1', expires_at_ms: Date.now() + 60_000, user } }
    await useStaff().enter('liuxin', 'secret')
    expect(calls[0]?.body).toEqual({ login: 'liuxin', password: 'secret' })
    expect(JSON.parse(window.localStorage.getItem('yuanshang.staff') ?? '')).toMatchObject({ token: 'st_1' })
    setActivePinia(createPinia())
    expect(useStaff().session?.token).toBe('st_1')
  })

  it('are led back to the log-in when the session has run out, and not for other refusals', async () => {
    keepStaff({ token: 'st_1', expires_at_ms: Date.now() + 60_000 })
    answers['GET /api/v1/sessions/current'] = { status: 503, body: { code: 'storage_unavailable' } }
    const staff = useStaff()
    await expect(staff.load()).rejects.toMatchObject({ code: 'storage_unavailable' })
    expect(staff.session).not.toBeNull()
    answers['GET /api/v1/sessions/current'] = { status: 401, body: { code: 'session_expired' } }
    await staff.load()
    expect([staff.session, staff.expired, window.localStorage.getItem('yuanshang.staff')]).toEqual([null, true, null])
  })

  it('log out here even when the server does not hear it', async () => {
    keepStaff({ token: 'st_1', expires_at_ms: Date.now() + 60_000 })
    const staff = useStaff()
    await staff.leave()
    expect([staff.session, staff.expired]).toEqual([null, false])
    expect(calls).toEqual([{ method: 'DELETE', path: '/api/v1/sessions/current', body: null }])
    forgetStaff()
  })
})

it('names this browser once', () => {
  expect(deviceId()).toMatch(/^[0-9a-f]{32}$/)
  expect(deviceId()).toBe(deviceId())
})
