import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { BodyRules, Rules } from '@/api/administration'
import { deletesMore, limitOf, useAdminRules } from '@/stores/admin-rules'
import { adminPlaceOf } from '@/stores/admin-place'
import { problemWords } from '@/stores/administration'
import { ProblemError } from '@/api/http'

const NONE: Rules = { max_live: null, max_participants: null, max_storage_gb: null, retention_days: null }
const body = (id: string, parent: string | null, fill: BodyRules['use']['fill'] = 'ok'): BodyRules => ({
  organization: { id, name: id, level: 'county', parent_id: parent },
  rules: NONE,
  use: { live: 0, present: 0, fullest: 0, used_bytes: 0, measured_at_ms: 1, fill },
  may_limit: true,
})

describe('what is typed as a limit', () => {
  it('is a whole number within its bounds, or none', () => {
    expect(limitOf('', 1, 10)).toBeNull()
    expect(limitOf('  ', 1, 10)).toBeNull()
    expect(limitOf(' 7 ', 1, 10)).toBe(7)
    expect(limitOf('７', 1, 10)).toBe(7)
    for (const text of ['0', '11', '1.5', '-1', '1e1', '三', '0x5', '99999999999']) expect(limitOf(text, 1, 10), text).toBeUndefined()
  })
})

describe('fewer days', () => {
  it('delete where more was kept before', () => {
    expect(deletesMore(null, 30, 90)).toBe(true)
    expect(deletesMore(null, 30, 0)).toBe(true)
    expect(deletesMore(0, null, 90)).toBe(true)
    expect(deletesMore(90, 89, 0)).toBe(true)
    expect(deletesMore(null, 90, 30)).toBe(false)
    expect(deletesMore(30, 0, 30)).toBe(false)
    expect(deletesMore(30, null, 30)).toBe(false)
    expect(deletesMore(null, 0, 30)).toBe(false)
  })
})

describe('the rules of bodies', () => {
  const calls: { method: string; path: string; body: unknown }[] = []
  let fails = false
  beforeEach(() => {
    window.localStorage.setItem('yuanshang.staff', JSON.stringify({ token: 'st_x', expires_at_ms: Date.now() + 1e6 }))
    setActivePinia(createPinia())
    calls.length = 0
    fails = false
    vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
      calls.push({ method: init.method ?? '', path, body: init.body ? JSON.parse(String(init.body)) : null })
      if (fails) return Promise.reject(new TypeError('gone'))
      const items = [body('river', 'city', 'full'), body('city', null), body('stone', 'city', 'near')]
      const answer = init.method === 'PUT' ? { ...body('stone', 'city'), rules: { ...NONE, max_live: 2 } } : { server: { max_participants: 300, retention_days: 0 }, items }
      return Promise.resolve(new Response(JSON.stringify(answer)))
    })
  })

  it('stand in the order of the tree, and name those with little space', async () => {
    const rules = useAdminRules()
    await rules.load()
    expect(rules.state).toBe('ready')
    expect(rules.rows.map(({ body: each, depth }) => [each.organization.id, depth])).toEqual([['city', 0], ['river', 1], ['stone', 1]])
    expect(rules.tight.map((each) => each.organization.id)).toEqual(['river', 'stone'])
    expect(adminPlaceOf('/admin/rules')).toBe('rules')
  })

  it('are saved whole, and shown as the server then says', async () => {
    const rules = useAdminRules()
    await rules.load()
    await rules.save('stone', { ...NONE, max_live: 2 })
    expect(calls[1]).toEqual({ method: 'PUT', path: '/api/v1/organizations/stone/rules', body: { ...NONE, max_live: 2 } })
    expect(rules.rows.find(({ body: each }) => each.organization.id === 'stone')?.body.rules.max_live).toBe(2)
    expect(problemWords(new ProblemError('limit_beyond_server', 422))).toBe('人数不能超过服务器的上限，请改小一些。')
  })

  it('fail at first, and are older than they look later', async () => {
    const rules = useAdminRules()
    fails = true
    await rules.load()
    expect(rules.state).toBe('failed')
    fails = false
    await rules.retry()
    expect([rules.state, rules.stale]).toEqual(['ready', false])
    fails = true
    await rules.load()
    expect([rules.state, rules.stale]).toEqual(['ready', true])
    expect(rules.rows).toHaveLength(3)
  })
})
