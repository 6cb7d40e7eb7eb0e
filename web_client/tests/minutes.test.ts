import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Blocker, Minutes, MinutesDoc } from '@/api/minutes'
import { useMinutes } from '@/stores/minutes'
import { useSession } from '@/stores/session'

const DOC: MinutesDoc = {
  id: 'm_1',
  kind: 'record',
  version: 1,
  state: 'draft',
  revision: 3,
  updated_by: '钱文',
  updated_at_ms: 1,
  reviewed_by: null,
  reviewed_at_ms: null,
  gaps_reason: '',
  approval: null,
  letterhead: null,
  sections: [{ key: 'decisions', heading: '一、议定事项', text: '手写', source: null }],
}
const view = (blockers: Blocker[]): Minutes => ({ record: DOC, summary: { ...DOC, id: 'm_2', kind: 'summary' }, versions: [], blockers, audit_head: { number: 1, hash: 'a' } })

let asked: { line: string; body: unknown }[] = []
let blockers: Blocker[] = []
let refusal = ''
/** refused for the first time alone */
let once = false

beforeEach(() => {
  window.history.replaceState(null, '', '/desk/c1/minutes')
  setActivePinia(createPinia())
  useSession().token = 'good'
  asked = []
  blockers = []
  refusal = ''
  once = false
  vi.stubGlobal('fetch', (url: string, init: RequestInit = {}) => {
    const method = init.method ?? 'GET'
    if (method === 'GET') return Promise.resolve(Response.json(view(blockers)))
    asked.push({ line: `${method} ${new URL(url, 'http://x').pathname.split('/consultations/')[1] ?? ''}`, body: JSON.parse(String(init.body)) })
    const code = refusal
    if (once) refusal = ''
    if (code) return Promise.resolve(Response.json({ code }, { status: 409 }))
    return Promise.resolve(Response.json({ ...DOC, revision: 4 }))
  })
})
afterEach(() => {
  vi.unstubAllGlobals()
})

async function opened(): Promise<ReturnType<typeof useMinutes>> {
  const minutes = useMinutes()
  minutes.kind = 'record'
  await minutes.load()
  return minutes
}

describe('minutes', () => {
  it('are made anew in the place of the draft that was seen', async () => {
    const minutes = await opened()
    expect(await minutes.make(DOC.revision)).toMatchObject({ revision: 4 })
    await minutes.make()
    expect(asked.map((each) => each.body)).toEqual([{ revision: 3 }, {}])
    expect(asked[0]?.line).toMatch(/\/minutes\/record$/)
  })

  it('stay as they are when somebody else wrote meanwhile', async () => {
    const minutes = await opened()
    refusal = 'edit_conflict'
    expect(await minutes.make(2)).toBeNull()
    expect(minutes.refused).toBe('edit_conflict')
    expect(minutes.doc?.revision).toBe(3)
  })

  it('are hindered by what concerns the document that is shown', async () => {
    blockers = [
      { code: 'gaps', count: 2, kind: null },
      { code: 'outdated', count: 5, kind: 'record' },
      { code: 'confidential', count: 1, kind: 'summary' },
    ]
    const minutes = await opened()
    expect([minutes.gaps, minutes.outdated, minutes.confidential]).toEqual([2, 5, 0])
    minutes.kind = 'summary'
    expect([minutes.gaps, minutes.outdated, minutes.confidential]).toEqual([2, 0, 1])
  })

  it('take a passage into what stands there now, though somebody was faster', async () => {
    const minutes = await opened()
    refusal = 'edit_conflict'
    once = true
    expect(await minutes.rewrite('decisions', (present) => `${present}\n早前的话`)).toBe(true)
    expect(asked.map((each) => each.body)).toEqual([3, 3].map((revision) => ({ revision, sections: [{ key: 'decisions', text: '手写\n早前的话' }] })))
    expect(await minutes.rewrite('gone', (present) => present)).toBe(false)
  })

  it('go on with the reasons that are given', async () => {
    const minutes = await opened()
    await minutes.review({ gaps: '没有录音', outdated: '已手工改好' })
    await minutes.approve()
    expect(asked.map((each) => each.body)).toEqual([{ revision: 3, despite_gaps_reason: '没有录音', despite_outdated_reason: '已手工改好' }, { revision: 3 }])
  })
})
