/** The program through hls.js. Loaded only where it is needed: it is larger than the page. */
import Hls, { ErrorTypes, Events, type ErrorData, type HlsConfig } from 'hls.js/light'
import { renditionUrl, type Playback, type Quality, type Source, type Trouble } from './playback'

const AGAIN_MS = 1500
const HEIGHT = { '720p': 720, '360p': 360 } as const

const CONFIG: Partial<HlsConfig> = {
  lowLatencyMode: true,
  // What is behind is soon withdrawn or cut; a phone has no room for it either.
  backBufferLength: 30,
  maxBufferLength: 30,
  // A viewer that fell behind plays a little faster until it is there again.
  maxLiveSyncPlaybackRate: 1.05,
  liveDurationInfinity: true,
  enableWorker: false,
}

export function openHls(video: HTMLVideoElement, source: Source, quality: Quality, onTrouble: (trouble: Trouble) => void): Playback {
  return new HlsPlayback(video, source, quality, onTrouble)
}

class HlsPlayback implements Playback {
  readonly kind = 'hls'
  private hls: Hls
  private again: ReturnType<typeof setTimeout> | null = null
  private closed = false
  private mended = 0

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly source: Source,
    private quality: Quality,
    private readonly onTrouble: (trouble: Trouble) => void,
  ) {
    this.hls = this.started(-1)
  }

  private started(at: number): Hls {
    const hls = new Hls({ ...CONFIG, startPosition: at })
    hls.on(Events.ERROR, (_event, data) => this.failed(data))
    hls.on(Events.MANIFEST_PARSED, () => this.apply())
    hls.on(Events.FRAG_BUFFERED, () => this.onTrouble(null))
    hls.attachMedia(this.video)
    hls.loadSource(renditionUrl(this.source, this.quality === 'audio' ? 'audio' : 'auto'))
    return hls
  }

  wallMs(): number | null {
    return this.hls.playingDate?.getTime() ?? null
  }

  choose(quality: Quality): void {
    const other = (quality === 'audio') !== (this.quality === 'audio')
    this.quality = quality
    // The rendition without picture has a playlist of its own, which hls.js passes over beside the others.
    if (other) this.reload()
    else this.apply()
  }

  toEdge(): void {
    const at = this.hls.liveSyncPosition
    if (at !== null) this.video.currentTime = at
  }

  close(): void {
    this.closed = true
    if (this.again !== null) clearTimeout(this.again)
    this.hls.destroy()
    this.video.removeAttribute('src')
    this.video.load()
  }

  private apply(): void {
    const height = this.quality === '720p' || this.quality === '360p' ? HEIGHT[this.quality] : null
    const level = height === null ? -1 : this.hls.levels.findIndex((each) => each.height === height)
    if (this.hls.nextLevel !== level) this.hls.nextLevel = level
  }

  private failed(data: ErrorData): void {
    if (!data.fatal || this.closed) return
    if (data.type === ErrorTypes.MEDIA_ERROR && this.mended < 3) {
      this.mended += 1
      this.hls.recoverMediaError()
      return
    }
    this.onTrouble('network')
    if (this.again === null) this.again = setTimeout(() => this.reload(), AGAIN_MS)
  }

  private reload(): void {
    if (this.again !== null) clearTimeout(this.again)
    this.again = null
    if (this.closed) return
    const at = this.source.live ? -1 : this.video.currentTime
    this.hls.destroy()
    this.mended = 0
    this.hls = this.started(at)
  }
}
