import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { ProblemError } from '@/api/http'
import { useAdministration } from '@/stores/administration'
import { refusalWords, useBodyLists } from '@/stores/body-lists'
import { useNotices } from '@/stores/notices'

interface Call {
  method: string
  path: string
  body: unknown
}
const json = (body: unknown, status = 200): Response => new Response(JSON.stringify(body), { status })
const calls: Call[] = []
let words = { items: [{ text: '互助会', level: 'hold', category: '' }], revision: 3 }
let conflicts = 0

function answer({ method, path, body }: Call): Response {
  if (path.endsWith('/minutes-template')) return new Response(null, { status: 204 })
  if (path.endsWith('/terms')) return json({ items: [], revision: 0 })
  if (method === 'PUT') {
    if (conflicts > 0) {
      conflicts -= 1
      words = { items: [...words.items, { text: '高息', level: 'mark', category: '' }], revision: words.revision + 1 }
      return json({ code: 'edit_conflict' }, 409)
    }
    words = { items: (body as typeof words).items, revision: words.revision + 1 }
  }
  return json(words)
}

describe('the lists of a body', () => {
  beforeEach(() => {
    window.localStorage.setItem('yuanshang.staff', JSON.stringify({ token: 'st_x', expires_at_ms: Date.now() + 1e6 }))
    setActivePinia(createPinia())
    calls.length = conflicts = 0
    words = { items: [{ text: '互助会', level: 'hold', category: '' }], revision: 3 }
    vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
      const call = { method: init.method ?? '', path, body: typeof init.body === 'string' ? JSON.parse(init.body) : init.body }
      calls.push(call)
      return Promise.resolve(answer(call))
    })
  })

  it('are read when another body is chosen, and a body without a template has none', async () => {
    const lists = useBodyLists()
    lists.body = 'o/1'
    await vi.waitFor(() => expect(lists.state).toBe('ready'))
    expect(calls.map((each) => each.path)).toContain('/api/v1/organizations/o%2F1/words')
    expect(lists.words.items?.map((each) => each.text)).toEqual(['互助会'])
    expect(lists.template).toBeNull()
  })

  it('are changed as they are now when somebody was faster, and say so when that happens again and again', async () => {
    const lists = useBodyLists()
    lists.body = 'o'
    await vi.waitFor(() => expect(lists.state).toBe('ready'))
    conflicts = 1
    expect(await lists.words.put({ text: '校园贷', level: 'block', category: '' })).toBe(true)
    expect(lists.words.items?.map((each) => each.text)).toEqual(['互助会', '高息', '校园贷'])
    expect(calls.at(-1)?.body).toMatchObject({ revision: 4 })
    conflicts = 9
    expect(await lists.words.remove({ text: '高息', level: 'mark', category: '' })).toBe(false)
    expect(useNotices().toasts.at(-1)?.text).toContain('刚刚有人改过')
    expect(lists.words.busy).toBe(false)
  })

  it('of another body are not shown when they come late', async () => {
    const held: (() => void)[] = []
    vi.stubGlobal('fetch', (path: string) => {
      const late = path.includes('/first/')
      const body = json(path.endsWith('/words') ? { items: [{ text: late ? '甲' : '乙', level: 'hold', category: '' }], revision: 1 } : { items: [], revision: 0, name: 'x' })
      return late ? new Promise<Response>((give) => held.push(() => give(body))) : Promise.resolve(body)
    })
    const lists = useBodyLists()
    lists.body = 'first'
    await vi.waitFor(() => expect(held).toHaveLength(3))
    lists.body = 'second'
    await vi.waitFor(() => expect(lists.state).toBe('ready'))
    held.forEach((give) => give())
    await new Promise((next) => setTimeout(next, 0))
    expect(lists.words.items?.map((each) => each.text)).toEqual(['乙'])
  })

  it('name what is wrong with a template', () => {
    expect(useAdministration().ownId).toBe('')
    expect(refusalWords(new ProblemError('template_refused', 422, { reason: 'wrong_words', said: '{{标题' }))).toBe('模板里有写错的标记，请对照样板改好再上传（{{标题）')
    expect(refusalWords(new ProblemError('template_refused', 422, { reason: 'new' }))).toContain('从样板改起')
    expect(refusalWords(new ProblemError('too_large', 413))).toContain('太大')
  })
})
