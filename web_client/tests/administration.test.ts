import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Organization } from '@/api/administration'
import { ProblemError } from '@/api/http'
import { dayMs } from '@/stores/admin-audit'
import { adminAddress, adminPlaceOf } from '@/stores/admin-place'
import { levelsBelow, madePassword, problemWords, treeOf, useAdministration } from '@/stores/administration'

const body = (id: string, parent: string | null, level: Organization['level'] = 'county'): Organization => ({ id, name: id, level, parent_id: parent })

describe('the tree of bodies', () => {
  it('has each after the one above it, whatever the order of their making', () => {
    const rows = treeOf([body('river', 'city'), body('city', 'province', 'city'), body('stone', 'city'), body('village', 'river')])
    expect(rows.map(({ organization, depth }) => [organization.id, depth])).toEqual([
      ['city', 0],
      ['river', 1],
      ['village', 2],
      ['stone', 1],
    ])
  })

  it('offers no level above that of the body above', () => {
    expect(levelsBelow('province')).toEqual(['province', 'city', 'county'])
    expect(levelsBelow('city')).toEqual(['city', 'county'])
    expect(levelsBelow('county')).toEqual(['county'])
  })
})

describe('a made password', () => {
  it('can be read out, and is another each time', () => {
    const made = new Set(Array.from({ length: 50 }, madePassword))
    expect(made.size).toBe(50)
    for (const each of made) expect(each).toMatch(/^[2-9a-hjkmnp-z]{4}(-[2-9a-hjkmnp-z]{4}){3}$/)
  })
})

describe('places and refusals', () => {
  it('have addresses, and an unknown one is the overview', () => {
    expect(adminPlaceOf('/admin')).toBe('overview')
    expect(adminPlaceOf('/admin/users')).toBe('users')
    expect(adminPlaceOf('/admin/none')).toBe('overview')
    expect(adminAddress('overview')).toBe('/admin')
    expect(adminAddress('organizations')).toBe('/admin/organizations')
  })

  it('are said in words', () => {
    expect(problemWords(new ProblemError('login_taken', 409))).toBe('这个账号名已被使用，请换一个。')
    expect(problemWords(new ProblemError('never_heard_of', 400))).toBe('没有成功，请稍后再试。')
  })
})

describe('changing bodies', () => {
  const calls: { method: string; path: string; body: unknown }[] = []
  beforeEach(() => {
    window.localStorage.setItem('yuanshang.staff', JSON.stringify({ token: 'st_x', expires_at_ms: Date.now() + 1e6 }))
    setActivePinia(createPinia())
    calls.length = 0
    vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
      calls.push({ method: init.method ?? '', path, body: init.body ? JSON.parse(String(init.body)) : null })
      const answer = path.endsWith('/organizations') && init.method === 'GET' ? { items: [body('city', 'province', 'city'), body('river', 'city')] } : { items: [] }
      return Promise.resolve(new Response(JSON.stringify(answer)))
    })
  })

  it('asks for another place only where it changed, and reads anew', async () => {
    const office = useAdministration()
    await office.load()
    expect(office.state).toBe('ready')
    calls.length = 0
    await office.saveOrganization('city', { name: '澄川市政协', level: 'city', parent_id: 'province' })
    expect(calls[0]).toEqual({ method: 'PATCH', path: '/api/v1/organizations/city', body: { name: '澄川市政协', level: 'city' } })
    expect(calls.slice(1).map((each) => each.path)).toEqual(['/api/v1/organizations', '/api/v1/users'])
    await office.saveOrganization('river', { name: 'river', level: 'county', parent_id: 'city2' })
    expect(calls[3]?.body).toEqual({ name: 'river', level: 'county', parent_id: 'city2' })
    await office.saveOrganization(null, { name: 'new', level: 'county', parent_id: 'city' })
    expect(calls[6]).toEqual({ method: 'POST', path: '/api/v1/organizations', body: { name: 'new', level: 'county', parent_id: 'city' } })
  })
})

describe('days of the trace', () => {
  it('begin at midnight here, and the last one is whole', () => {
    expect(dayMs('')).toBeNull()
    expect(dayMs('2026-11-23')).toBe(new Date(2026, 10, 23).getTime())
    expect(dayMs('2026-11-23', 1)).toBe(new Date(2026, 10, 23).getTime() + 86_400_000)
  })
})
