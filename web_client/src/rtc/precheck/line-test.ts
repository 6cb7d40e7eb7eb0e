/** The network of a hall for half a minute: by which way media goes, what gets lost, how even it is, and how fast bytes go each way. */
import type { FiguresOf, LineWay } from '@/api/precheck'
import { Http } from '@/api/http'
import { measureRoundTrip } from '@/api/session'
import { countsOf, EchoTest, type Counts } from '../echo-test'
import { NetworkTest, type Way, type WayName } from '../network-test'
import { downloadSpeed, uploadSpeed } from '../speed-test'
import { lineOf, lossBetween } from './line'
import { StoppedError } from './waiting'

/** The server keeps a connection for fifteen seconds: three of them are half a minute. */
const ROUNDS = 3
const ROUND_MS = 10_000
const SPEED_MS = 5_000
const LOOK_EVERY_MS = 1000
const BEST_FIRST: WayName[] = ['udp', 'tcp', 'https', 'relay']

export const LINE_MS = ROUNDS * ROUND_MS + SPEED_MS

export interface LineNow {
  /** 0 to 1 */
  part: number
  figures: FiguresOf['network']
  /** share lost on both ways together, second by second */
  losses: number[]
}

export async function measureLine(stop: AbortSignal, told: (now: LineNow) => void): Promise<FiguresOf['network']> {
  const began = performance.now()
  const figures: FiguresOf['network'] = { way: 'unknown', up_bps: null, down_bps: null, up_loss: null, down_loss: null, rtt_ms: null, jitter_ms: null, measured_ms: 0 }
  const losses: number[] = []
  const tell = (): void => {
    const part = Math.min(1, (performance.now() - began) / LINE_MS)
    told({ part, figures: { ...figures }, losses: [...losses] })
  }
  const trip = await measureRoundTrip()
  const rounds: Counts[] = []
  const jitters: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    if (stop.aborted) throw new StoppedError()
    const found = await oneRound(stop, (loss, jitterMs) => {
      if (loss !== null) losses.push(loss)
      if (jitterMs !== null) jitters.push(jitterMs)
      tell()
    })
    if (stop.aborted) throw new StoppedError()
    if (figures.way === 'unknown' || found.counts) figures.way = found.way
    if (!found.counts) break
    rounds.push(found.counts)
    figures.measured_ms += ROUND_MS
    Object.assign(figures, lineOf(rounds), { jitter_ms: middle(jitters) })
    tell()
  }
  figures.rtt_ms ??= trip
  // One after the other: what fills the line would look like loss.
  figures.down_bps = (await downloadSpeed(stop))?.bps ?? null
  tell()
  figures.up_bps = (await uploadSpeed(stop, trip ?? 0))?.bps ?? null
  tell()
  return figures
}

/** `counts` are null where no way is open, or none could be tried. */
async function oneRound(stop: AbortSignal, looked: (loss: number | null, jitterMs: number | null) => void): Promise<{ way: LineWay; counts: Counts | null }> {
  const echo = new EchoTest()
  let ways: Way[] = []
  let counts: Counts | null = null
  const test = new NetworkTest({
    createPeer: (configuration) => new RTCPeerConnection(configuration),
    ask: (sdp) => new Http(null).send('POST', '/network-test', { sdp }),
    pagePort: Number(window.location.port) || (window.location.protocol === 'https:' ? 443 : 80),
    changed: (now) => (ways = now),
    prepare: (peer) => echo.attach(peer),
    measure: async (peer) => {
      let before: Counts | null = null
      const timer = setInterval(() => {
        void Promise.all([countsOf(peer), jitterOf(peer)]).then(([now, jitter]) => {
          looked(before && lossBetween(before, now), jitter)
          before = now
        })
      }, LOOK_EVERY_MS)
      try {
        counts = await echo.count(peer, ROUND_MS)
      } finally {
        clearInterval(timer)
      }
    },
  })
  const end = (): void => {
    echo.close()
    test.close()
  }
  stop.addEventListener('abort', end)
  try {
    ways = await test.run()
  } catch {
    // The server did not answer: that says nothing of the ways.
    ways = []
  } finally {
    stop.removeEventListener('abort', end)
    end()
  }
  return { way: wayOf(ways), counts }
}

function wayOf(ways: readonly Way[]): LineWay {
  const open = BEST_FIRST.find((name) => ways.some((way) => way.name === name && way.state === 'open'))
  if (open) return open
  return ways.length > 0 && ways.every((way) => way.state === 'shut') ? 'none' : 'unknown'
}

/** How unevenly our own packets come back, ms. */
async function jitterOf(peer: RTCPeerConnection): Promise<number | null> {
  let found: number | null = null
  ;(await peer.getStats()).forEach((report: Record<string, unknown>) => {
    if (report.type === 'inbound-rtp' && typeof report.jitter === 'number' && Number(report.packetsReceived) > 0) found = report.jitter * 1000
  })
  return found
}

function middle(values: readonly number[]): number | null {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? null
}
