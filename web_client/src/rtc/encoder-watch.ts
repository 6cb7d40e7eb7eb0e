/**
 * Sees when this device cannot encode its camera as fast as it should, or when the camera gives no pictures, and says what to leave out.
 * Hot and slow devices are given less work step by step and more only after a long quiet while.
 */
import { MOST_RELIEF } from './simulcast'

/** What one look at the statistics gives; null where the browser does not say. */
export interface EncoderSample {
  atMs: number
  /** the browser itself says that the processor is the limit */
  strained: boolean | null
  /** seconds of encoding a second */
  load: number | null
  /** pictures that the camera gave so far */
  frames: number | null
  /** somebody is sent the picture, so that the camera has to give some */
  sending: boolean
}

const INTERVAL_MS = 2000
const STRAINED_MS = 10_000
const QUIET_MS = 60_000
const LONGEST_QUIET_MS = 600_000
const RELAPSE_MS = 60_000
const STALLED_MS = 6000
const FULL_LOAD = 0.85

export class EncoderWatch {
  /** steps of what is left out */
  relief = 0
  /** the camera is open and gives nothing */
  stalled = false
  private strainedSince: number | null = null
  private quietSince: number | null = null
  private quiet = QUIET_MS
  private loosenedAt = -Infinity
  private frames: number | null = null
  private movedAt = 0

  take(sample: EncoderSample): void {
    this.judgeLoad(sample)
    this.judgeCamera(sample)
  }

  private judgeLoad({ atMs, strained, load, sending }: EncoderSample): void {
    const hard = sending && (strained ?? (load !== null && load > FULL_LOAD))
    if (hard) {
      this.quietSince = null
      this.strainedSince ??= atMs
      if (atMs - this.strainedSince < STRAINED_MS || this.relief >= MOST_RELIEF) return
      this.relief += 1
      this.strainedSince = atMs
      this.quiet = atMs - this.loosenedAt < RELAPSE_MS ? Math.min(2 * this.quiet, LONGEST_QUIET_MS) : QUIET_MS
      return
    }
    this.strainedSince = null
    this.quietSince ??= atMs
    if (this.relief === 0 || atMs - this.quietSince < this.quiet) return
    this.relief -= 1
    this.quietSince = this.loosenedAt = atMs
  }

  private judgeCamera({ atMs, frames, sending }: EncoderSample): void {
    if (!sending || frames === null || frames !== this.frames) {
      this.frames = frames
      this.movedAt = atMs
      this.stalled = false
      return
    }
    this.stalled = atMs - this.movedAt >= STALLED_MS
  }
}

interface Report {
  id: string
  type: string
  mediaSourceId?: string
  active?: boolean
  qualityLimitationReason?: string
  totalEncodeTime?: number
  frames?: number
  trackIdentifier?: string
}

/** Looks at the sending connection every two seconds. */
export class EncoderProbe {
  readonly watch = new EncoderWatch()
  private timer: ReturnType<typeof setInterval> | undefined
  private encoded: { atMs: number; seconds: number } | null = null

  constructor(
    private readonly current: () => { peer: RTCPeerConnection | null; camera: MediaStreamTrack | null },
    private readonly judged: (watch: EncoderWatch) => void,
  ) {}

  start(): void {
    this.timer ??= setInterval(() => void this.look(), INTERVAL_MS)
  }

  stop(): void {
    clearInterval(this.timer)
    this.timer = undefined
  }

  private async look(): Promise<void> {
    const { peer, camera } = this.current()
    if (peer?.connectionState !== 'connected') return
    const stats = [...(await peer.getStats()).values()] as Report[]
    const source = camera ? stats.find((each) => each.type === 'media-source' && each.trackIdentifier === camera.id) : undefined
    this.watch.take(this.sample(stats, camera, source))
    this.judged(this.watch)
  }

  private sample(stats: Report[], camera: MediaStreamTrack | null, source: Report | undefined): EncoderSample {
    const atMs = performance.now()
    const layers = stats.filter((each) => source !== undefined && each.type === 'outbound-rtp' && each.mediaSourceId === source.id)
    const sent = layers.filter((each) => each.active !== false)
    const told = sent.filter((each) => each.qualityLimitationReason !== undefined)
    // Firefox counts the same time with every layer.
    const seconds = Math.max(0, ...layers.map((each) => each.totalEncodeTime ?? 0))
    const before = this.encoded
    this.encoded = { atMs, seconds }
    return {
      atMs,
      strained: told.length > 0 ? told.some((each) => each.qualityLimitationReason === 'cpu') : null,
      load: before && seconds >= before.seconds ? (1000 * (seconds - before.seconds)) / Math.max(1, atMs - before.atMs) : null,
      frames: source?.frames ?? null,
      // A hidden page's camera, or one that the system holds back, is not expected to give anything.
      sending: sent.length > 0 && camera?.readyState === 'live' && !camera.muted && document.visibilityState === 'visible',
    }
  }
}
