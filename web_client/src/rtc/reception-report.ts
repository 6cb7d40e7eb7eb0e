/**
 * How the received tracks were played: milliseconds in which a picture stood still or sound was made up for lost packets, measured where
 * it is seen and heard, and told to the server every five seconds (media.report).
 */
import type { PlayedTrack } from '@/api/messages'
import type { RemoteTrack } from './subscribe-connection'

export const REPORT_MS = 5000
/** The first pictures after a pause come a little later, and browsers count the pause with them. */
const SETTLING_MS = 3000
const MOST = 200
const LONGEST_MS = 60_000

/** The counters of one received track, as getStats gives them. */
export interface Counters {
  kind?: string
  totalFreezesDuration?: number
  framesDecoded?: number
  concealedSamples?: number
  silentConcealedSamples?: number
  totalSamplesReceived?: number
}

interface Last {
  publicationId: string
  atMs: number
  counters: Counters
}

export class ReceptionLog {
  private last = new Map<string, Last>()

  /**
   * What was played since the last call. `tracks` by the track's id; `absentAt` says when a picture was last not asked for or not sent:
   * what stood still then was meant to.
   */
  take(
    now: number,
    received: ReadonlyMap<string, Counters>,
    tracks: ReadonlyMap<string, string>,
    absentAt: (publicationId: string, now: number) => number,
  ): PlayedTrack[] {
    const next = new Map<string, Last>()
    const items: PlayedTrack[] = []
    for (const [trackId, counters] of received) {
      const publicationId = tracks.get(trackId)
      if (publicationId === undefined) continue
      next.set(trackId, { publicationId, atMs: now, counters })
      const before = this.last.get(trackId)
      // A slot that was given to somebody else goes on counting.
      if (before?.publicationId !== publicationId) continue
      const wanted = counters.kind !== 'video' || absentAt(publicationId, now) + SETTLING_MS < before.atMs
      if (wanted) items.push(played(publicationId, before, counters, now))
    }
    this.last = next
    return items.slice(0, MOST)
  }
}

function played(publicationId: string, before: Last, now: Counters, atMs: number): PlayedTrack {
  const grown = (name: Exclude<keyof Counters, 'kind'>): number => Math.max(0, (now[name] ?? 0) - (before.counters[name] ?? 0))
  const ms = Math.max(1, atMs - before.atMs)
  const bounded = (value: number): number => Math.round(Math.min(LONGEST_MS, Math.max(0, value)))
  if (now.kind === 'video') {
    const frames = Math.min(240, (1000 * grown('framesDecoded')) / ms)
    return { publication_id: publicationId, freeze_ms: bounded(1000 * grown('totalFreezesDuration')), frames_per_second: Math.round(10 * frames) / 10 }
  }
  // Silence that is made up for silence nobody hears.
  const concealed = Math.max(0, grown('concealedSamples') - grown('silentConcealedSamples'))
  const total = grown('totalSamplesReceived')
  return { publication_id: publicationId, concealed_ms: bounded(total > 0 ? (ms * concealed) / total : 0) }
}

export class ReceptionProbe {
  private readonly log = new ReceptionLog()
  private timer: ReturnType<typeof setInterval> | undefined

  constructor(
    private readonly current: () => { peer: RTCPeerConnection | null; tracks: RemoteTrack[] },
    private readonly absentAt: (publicationId: string, now: number) => number,
    private readonly report: (items: PlayedTrack[]) => void,
  ) {}

  start(): void {
    this.timer ??= setInterval(() => void this.look(), REPORT_MS)
  }

  stop(): void {
    clearInterval(this.timer)
    this.timer = undefined
  }

  private async look(): Promise<void> {
    const { peer, tracks } = this.current()
    if (peer?.connectionState !== 'connected') return
    const received = new Map<string, Counters>()
    ;(await peer.getStats()).forEach((each: Counters & { type: string; trackIdentifier?: string }) => {
      if (each.type === 'inbound-rtp' && each.trackIdentifier !== undefined) received.set(each.trackIdentifier, each)
    })
    const byTrack = new Map(tracks.map((each) => [each.track.id, each.publicationId]))
    const items = this.log.take(performance.now(), received, byTrack, this.absentAt)
    if (items.length > 0) this.report(items)
  }
}
