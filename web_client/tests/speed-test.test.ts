import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { downloadSpeed, uploadSpeed } from '@/rtc/speed-test'

type Fetch = (url: string, options: RequestInit) => Promise<Response>

/** Gives `piece` bytes every `everyMs`, for ever or `count` times; ends with an error when it is aborted. */
function flowing(piece: number, everyMs: number, count = Infinity): Fetch {
  return (_url, { signal }) => {
    let left = count
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, everyMs))
        if (signal?.aborted) controller.error(new DOMException('', 'AbortError'))
        else if ((left -= 1) < 0) controller.close()
        else controller.enqueue(new Uint8Array(piece))
      },
    })
    return Promise.resolve(new Response(body))
  }
}

/** Takes uploads at so many bits a second. */
function taking(bps: number): Fetch {
  return (_url, { body, signal }) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => resolve(new Response('{}')), ((body as Uint8Array).length * 8000) / bps)
      signal?.addEventListener('abort', () => {
        clearTimeout(timer)
        reject(new DOMException('', 'AbortError'))
      })
    })
}

describe('the speed of a line', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  async function measured<T>(fetching: Fetch, measure: () => Promise<T>): Promise<T> {
    vi.stubGlobal('fetch', fetching)
    const running = measure()
    for (let turn = 0; turn < 400; turn += 1) await vi.advanceTimersByTimeAsync(50)
    return running
  }
  const stop = (): AbortSignal => new AbortController().signal

  it('downwards is what comes in two seconds', async () => {
    const found = await measured(flowing(12_500, 100), () => downloadSpeed(stop()))
    expect(found?.atLeast).toBe(false)
    expect(found?.bps).toBeGreaterThan(900_000)
    expect(found?.bps).toBeLessThan(1_100_000)
  })

  it('downwards is at least the bound of the server where that was reached', async () => {
    expect(await measured(flowing(16_384, 32, 75), () => downloadSpeed(stop()))).toEqual({ bps: 4_000_000, atLeast: true })
  })

  it('upwards is that of the largest piece that went through', async () => {
    const found = await measured(taking(500_000), () => uploadSpeed(stop(), 0))
    expect(found?.bps).toBeGreaterThan(490_000)
    expect(found?.bps).toBeLessThan(510_000)
  })

  it('upwards is called low where not even the first piece went through', async () => {
    const found = await measured(taking(20_000), () => uploadSpeed(stop(), 0))
    expect(found?.bps).toBeLessThan(110_000)
    expect(found?.atLeast).toBe(false)
  })

  it('is asked for again while others measure, and not for ever', async () => {
    let asked = 0
    const busy: Fetch = () => {
      asked += 1
      return Promise.resolve(new Response('{}', { status: 429 }))
    }
    expect(await measured(busy, () => downloadSpeed(stop()))).toBeNull()
    expect(asked).toBe(3)
  })

  it('is nothing where the server does not answer', async () => {
    expect(await measured(() => Promise.reject(new TypeError('failed')), () => downloadSpeed(stop()))).toBeNull()
  })

  it('ends when the page is left', async () => {
    const left = new AbortController()
    vi.stubGlobal('fetch', flowing(1000, 100))
    const running = expect(downloadSpeed(left.signal)).rejects.toThrow()
    await vi.advanceTimersByTimeAsync(500)
    left.abort()
    await vi.advanceTimersByTimeAsync(500)
    await running
  })
})
