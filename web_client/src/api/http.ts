/** The REST interface: JSON with a bearer, problems as RequestError, files up and down. */
import { RequestError } from './room-socket'

const PREFIX = '/api/v1'

/** A refusal with what the server adds to its code: `missing`, `retry_after_s` and the like. */
export class ProblemError extends RequestError {
  constructor(
    code: string,
    readonly status: number,
    readonly more: Readonly<Record<string, unknown>> = {},
  ) {
    super(code)
  }
}

export type Query = Record<string, string | number | boolean | null | undefined>

interface Call {
  method: string
  body?: BodyInit
  type?: string
  range?: string
  tag?: string | null
  stop?: AbortSignal
}

/** What was read, and the entity tag to ask with whether it is still so. */
export interface Kept<T> {
  body: T
  tag: string | null
}

export class Http {
  constructor(private readonly token: string | null) {}

  get<T>(path: string, query: Query = {}): Promise<T> {
    return this.json(path + queryText(query), { method: 'GET' })
  }

  /** For who looks again and again: gives `kept` itself while nothing has changed. */
  async look<T>(path: string, query: Query, kept: Kept<T> | null): Promise<Kept<T>> {
    const response = await this.ask(path + queryText(query), { method: 'GET', tag: kept?.tag ?? null })
    if (response.status === 304 && kept) return kept
    return { body: (await response.json()) as T, tag: response.headers.get('ETag') }
  }

  send<T>(method: 'POST' | 'PATCH' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T> {
    if (body === undefined) return this.json(path, { method })
    return this.json(path, { method, body: JSON.stringify(body), type: 'application/json' })
  }

  /** The bytes of a file as the body. */
  upload<T>(path: string, file: File, query: Query = {}, method: 'POST' | 'PUT' = 'POST'): Promise<T> {
    return this.json(path + queryText(query), { method, body: file, type: file.type || 'application/octet-stream' })
  }

  async download(path: string, query: Query = {}): Promise<Blob> {
    return (await this.ask(path + queryText(query), { method: 'GET' })).blob()
  }

  /** With a header of the answer that says more of it; null where it is missing. */
  async downloadWith(path: string, header: string): Promise<{ blob: Blob; said: string | null }> {
    const response = await this.ask(path, { method: 'GET' })
    return { blob: await response.blob(), said: response.headers.get(header) }
  }

  /** The bytes from `from` to before `to` of a file; it is an error when another stretch comes back. */
  async piece(path: string, from: number, to: number, stop: AbortSignal): Promise<Blob> {
    const response = await this.ask(path, { method: 'GET', range: `bytes=${from}-${to - 1}`, stop })
    let bytes: Blob
    try {
      bytes = await response.blob()
    } catch {
      throw new ProblemError('offline', 0)
    }
    if (response.status !== 206 || bytes.size !== to - from) throw new ProblemError('failed', response.status)
    return bytes
  }

  private async json<T>(path: string, call: Call): Promise<T> {
    const response = await this.ask(path, call)
    if (response.status === 204) return undefined as T
    return (await response.json()) as T
  }

  private async ask(path: string, { method, body, type, range, tag, stop }: Call): Promise<Response> {
    const headers: Record<string, string> = {}
    if (this.token) headers.Authorization = `Bearer ${this.token}`
    if (type) headers['Content-Type'] = type
    if (range) headers.Range = range
    if (tag) headers['If-None-Match'] = tag
    let response: Response
    try {
      response = await fetch(PREFIX + path, { method, headers, cache: 'no-store', ...(body === undefined ? {} : { body }), ...(stop ? { signal: stop } : {}) })
    } catch {
      throw new ProblemError('offline', 0)
    }
    if (response.ok || (tag && response.status === 304)) return response
    const problem = (await response.json().catch(() => ({}))) as Record<string, unknown>
    throw new ProblemError(typeof problem.code === 'string' ? problem.code : 'failed', response.status, problem)
  }
}

function queryText(query: Query): string {
  const given = Object.entries(query).filter((each): each is [string, string | number | boolean] => each[1] !== null && each[1] !== undefined && each[1] !== '')
  return given.length ? `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString()}` : ''
}

/** Hands a file to the browser's downloads. */
export function save(blob: Blob, name: string): void {
  const address = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = address
  link.download = name
  document.body.append(link)
  link.click()
  link.remove()
  // The download has to begin before its address is given up.
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}
