/**
 * How long sound and picture wait before they are played. A packet lost on the way takes one round trip to be sent again, and one lost
 * between the speaker and the server another: where packets get lost, waiting that long turns a freeze into a delay nobody sees.
 * Without loss the browser decides by itself.
 */

export interface LossSample {
  /** packets that came, and packets that were missed at first, since the last sample */
  received: number
  missed: number
  roundTripMs: number
}

const INTERVAL_MS = 2000
const LOSSY = 0.01
const CLEAN = 0.002
const ROUND_TRIPS = 2.5 // one for each way, and now and then one more
const MARGIN_MS = 150
const REMEMBERED = 5 // samples of the round trip; the shortest counts, a busy device makes single ones long
const LONGEST_MS = 1200
const FORGIVE_AFTER = 10 // clean samples

export class PlayoutDelay {
  /** milliseconds to wait at least; 0 leaves it to the browser */
  target = 0
  private clean = 0
  private readonly roundTrips: number[] = []

  take({ received, missed, roundTripMs }: LossSample): number {
    this.roundTrips.push(roundTripMs)
    if (this.roundTrips.length > REMEMBERED) this.roundTrips.shift()
    const share = missed / Math.max(1, received + missed)
    if (share > LOSSY) {
      this.clean = 0
      const needed = Math.min(LONGEST_MS, Math.round(ROUND_TRIPS * Math.min(...this.roundTrips) + MARGIN_MS))
      this.target = Math.max(this.target, needed)
    } else if (share < CLEAN && received > 0) {
      this.clean += 1
      if (this.clean >= FORGIVE_AFTER) this.target = 0
    }
    return this.target
  }
}

interface Counts {
  received: number
  missed: number
  roundTripMs: number
}

/** Samples the connection that receives, and sets what all its receivers wait. */
export class PlayoutWatch {
  private timer: ReturnType<typeof setInterval> | undefined
  private peer: RTCPeerConnection | null = null
  private delay = new PlayoutDelay()
  private last: Counts | null = null

  constructor(private readonly current: () => RTCPeerConnection | null) {}

  start(): void {
    this.timer ??= setInterval(() => void this.sample(), INTERVAL_MS)
  }

  stop(): void {
    clearInterval(this.timer)
    this.timer = undefined
  }

  private async sample(): Promise<void> {
    const peer = this.current()
    if (peer !== this.peer) {
      this.peer = peer
      this.last = null
      this.delay = new PlayoutDelay()
    }
    if (peer?.connectionState !== 'connected') return
    const counts = countsOf(await peer.getStats())
    const last = this.last
    this.last = counts
    if (!last || peer !== this.peer) return
    const target = this.delay.take({
      received: Math.max(0, counts.received - last.received),
      missed: Math.max(0, counts.missed - last.missed),
      roundTripMs: counts.roundTripMs,
    })
    for (const receiver of peer.getReceivers()) {
      // Older browsers have no such knob; they keep their own rule.
      if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = target || null
    }
  }
}

function countsOf(stats: RTCStatsReport): Counts {
  const counts: Counts = { received: 0, missed: 0, roundTripMs: 0 }
  stats.forEach((entry: Record<string, unknown>) => {
    if (entry.type === 'inbound-rtp') {
      counts.received += numberOf(entry.packetsReceived)
      // Missing pictures are asked for again, missing sound is not.
      counts.missed += entry.kind === 'video' ? numberOf(entry.nackCount) : numberOf(entry.packetsLost)
    } else if (entry.type === 'candidate-pair' && entry.nominated === true) {
      counts.roundTripMs = Math.max(counts.roundTripMs, 1000 * numberOf(entry.currentRoundTripTime))
    }
  })
  return counts
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0
}
