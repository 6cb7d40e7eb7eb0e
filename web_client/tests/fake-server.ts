/** A server over HTTP, as `fetch` finds it: each test says what it answers, and when. */

export interface FakeCall {
  method: string
  path: string
  query: URLSearchParams
  body: unknown
  /** the entity tag that was asked with */
  tag: string | null
}

export interface FakeAnswer {
  status?: number
  body?: unknown
  tag?: string
}

type Answering = (call: FakeCall) => FakeAnswer | Promise<FakeAnswer>

export class FakeServer {
  readonly asked: FakeCall[] = []
  /** by method and path; who throws is a network that is down, what is missing is not found */
  answers: Record<string, Answering> = {}

  readonly fetch = async (address: string, init: RequestInit = {}): Promise<Response> => {
    const { pathname, searchParams } = new URL(address, 'http://server')
    const headers = (init.headers ?? {}) as Record<string, string>
    const call: FakeCall = {
      method: init.method ?? 'GET',
      path: pathname.replace('/api/v1', ''),
      query: searchParams,
      body: typeof init.body === 'string' ? JSON.parse(init.body) : null,
      tag: headers['If-None-Match'] ?? null,
    }
    this.asked.push(call)
    const answering: Answering = this.answers[`${call.method} ${call.path}`] ?? (() => ({ status: 404, body: { code: 'not_found' } }))
    const { status = 200, body = {}, tag } = await answering(call)
    return { ok: status < 300, status, headers: new Headers(tag ? { ETag: tag } : {}), json: () => Promise.resolve(body) } as Response
  }

  of(name: string): FakeCall[] {
    return this.asked.filter((each) => `${each.method} ${each.path}` === name)
  }
}

/** An answer that comes when the test says so. */
export function later(): { answer: Promise<FakeAnswer>; come: (answer: FakeAnswer) => void } {
  let come: (answer: FakeAnswer) => void = () => undefined
  const answer = new Promise<FakeAnswer>((resolve) => (come = resolve))
  return { answer, come }
}
