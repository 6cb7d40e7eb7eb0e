import { afterEach, describe, expect, it, vi } from 'vitest'
import { Http } from '@/api/http'
import { RequestError } from '@/api/room-socket'

/** A server that has one thing to tell, and says so by its entity tag. */
function serving(answer: { body: unknown; tag: string | null; status?: number }): { asked: (string | null)[]; now: typeof answer } {
  const asked: (string | null)[] = []
  const now = { ...answer }
  vi.stubGlobal('fetch', (_path: string, { headers }: { headers: Record<string, string> }) => {
    const known = headers['If-None-Match'] ?? null
    asked.push(known)
    if (now.status) return Promise.resolve(new Response(JSON.stringify({ code: 'not_found' }), { status: now.status }))
    if (known !== null && known === now.tag) return Promise.resolve(new Response(null, { status: 304 }))
    return Promise.resolve(new Response(JSON.stringify(now.body), { headers: now.tag ? { ETag: now.tag } : {} }))
  })
  return { asked, now }
}

afterEach(() => vi.unstubAllGlobals())

describe('looking again and again', () => {
  const http = new Http('token')

  it('gives the same thing back while nothing has changed', async () => {
    const server = serving({ body: { n: 1 }, tag: '"a"' })
    const first = await http.look<{ n: number }>('/x', {}, null)
    const second = await http.look<{ n: number }>('/x', {}, first)
    expect(second).toBe(first)
    expect(server.asked).toEqual([null, '"a"'])
    Object.assign(server.now, { body: { n: 2 }, tag: '"b"' })
    const third = await http.look<{ n: number }>('/x', {}, second)
    expect(third).toEqual({ body: { n: 2 }, tag: '"b"' })
  })

  it('works with a server that sends no tags', async () => {
    const server = serving({ body: { n: 1 }, tag: null })
    const first = await http.look<{ n: number }>('/x', {}, null)
    const second = await http.look<{ n: number }>('/x', {}, first)
    expect(second).not.toBe(first)
    expect(second.body).toEqual({ n: 1 })
    expect(server.asked).toEqual([null, null])
  })

  it('says a refusal as ever', async () => {
    serving({ body: null, tag: null, status: 404 })
    await expect(http.look('/x', {}, { body: 1, tag: '"a"' })).rejects.toThrow(RequestError)
  })
})
