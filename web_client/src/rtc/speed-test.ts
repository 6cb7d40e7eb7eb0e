/**
 * How fast bytes come and go: over HTTP from the server itself, which gives no more than a hall needs. What comes at that rate is called
 * at least so much.
 */

export interface Speed {
  bps: number
  /** the server's bound was reached: it may be far more */
  atLeast: boolean
}

const PATH = '/api/v1/network-test/bytes'
export const BOUND_BPS = 4_000_000
/** A paced stream that is read as it comes ends a little below its bound. */
const REACHED = 0.85
const DOWN_MS = 2000
const UP_MS = 2500
const UPLOADS = [32 << 10, 128 << 10, 512 << 10]
const TRIES = 3
const BUSY_MS = 1500

/** null: it could not be measured. Rejects when `stop` is aborted. */
export async function downloadSpeed(stop: AbortSignal): Promise<Speed | null> {
  return whenFree(stop, async (signal, end) => {
    const response = await fetch(PATH, { cache: 'no-store', signal })
    if (response.status === 429) return 'busy'
    const reader = response.ok ? response.body?.getReader() : undefined
    if (!reader) return null
    let [began, until, bytes] = [0, 0, 0]
    const timer = setTimeout(end, DOWN_MS + 500)
    try {
      for (;;) {
        const { done, value } = await reader.read()
        const now = performance.now()
        if (done) break
        // The first piece says when it begins; what was sent before it took the time of connecting.
        if (began === 0) began = now
        else bytes += value.length
        until = now
        if (now - began > DOWN_MS) break
      }
    } catch {
      // The end of the time, on a line that nothing came over for long.
      until = performance.now()
    } finally {
      clearTimeout(timer)
      end()
    }
    return began > 0 && until > began ? speedOf(bytes, until - began) : null
  })
}

export async function uploadSpeed(stop: AbortSignal, rttMs: number): Promise<Speed | null> {
  const deadline = performance.now() + UP_MS
  let best: Speed | null = null
  for (const size of UPLOADS) {
    const found = await whenFree(stop, async (signal, end) => {
      const body = noise(size)
      const timer = setTimeout(end, UP_MS)
      const began = performance.now()
      try {
        const response = await fetch(PATH, { method: 'POST', body, signal, headers: { 'Content-Type': 'application/octet-stream' } })
        if (response.status === 429) return 'busy'
        if (!response.ok) return null
        await response.arrayBuffer()
        // The answer's way back is no time of sending.
        return speedOf(size, Math.max(1, performance.now() - began - rttMs))
      } catch {
        // Not through in that time: it is slower than this.
        return best ?? { bps: (size * 8000) / UP_MS, atLeast: false }
      } finally {
        clearTimeout(timer)
      }
    })
    best = found ?? best
    if (!best || performance.now() > deadline - (best.bps > 0 ? (size * 4 * 8000) / best.bps : 0)) break
  }
  return best
}

/** The server lets few measure at once. */
async function whenFree(stop: AbortSignal, attempt: (signal: AbortSignal, end: () => void) => Promise<Speed | 'busy' | null>): Promise<Speed | null> {
  for (let turn = 0; turn < TRIES; turn += 1) {
    if (stop.aborted) throw new DOMException('left', 'AbortError')
    const own = new AbortController()
    const forward = (): void => own.abort()
    stop.addEventListener('abort', forward)
    try {
      const found = await attempt(own.signal, forward)
      if (stop.aborted) throw new DOMException('left', 'AbortError')
      if (found !== 'busy') return found
    } catch (error) {
      if (stop.aborted) throw error
      return null
    } finally {
      stop.removeEventListener('abort', forward)
    }
    await new Promise((resolve) => setTimeout(resolve, BUSY_MS * (1 + Math.random())))
  }
  return null
}

function speedOf(bytes: number, ms: number): Speed {
  const bps = (bytes * 8000) / ms
  return bps >= BOUND_BPS * REACHED ? { bps: BOUND_BPS, atLeast: true } : { bps, atLeast: false }
}

/** Nothing on the way can make less of it. */
function noise(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, Math.min(size, at + 65_536)))
  return bytes
}
