/** The program through the browser's own HLS player. */
import { renditionUrl, type Playback, type Quality, type Source, type Trouble } from './playback'

const AGAIN_MS = 2000

/** Safari's word for EXT-X-PROGRAM-DATE-TIME at the beginning of what can be played. */
interface DatedVideo extends HTMLVideoElement {
  getStartDate?: () => Date
}

/** UTC of what a video shows; null where the player does not tell, or does not know yet. */
export function dateOf(video: Pick<DatedVideo, 'currentTime' | 'getStartDate'>): number | null {
  const start = video.getStartDate?.().getTime() ?? Number.NaN
  return Number.isFinite(start) ? start + video.currentTime * 1000 : null
}

export function openNative(video: HTMLVideoElement, source: Source, quality: Quality, onTrouble: (trouble: Trouble) => void): Playback {
  return new NativePlayback(video, source, quality, onTrouble)
}

class NativePlayback implements Playback {
  readonly kind = 'native'
  private again: ReturnType<typeof setTimeout> | null = null

  constructor(
    private readonly video: DatedVideo,
    private readonly source: Source,
    private quality: Quality,
    private readonly onTrouble: (trouble: Trouble) => void,
  ) {
    video.addEventListener('error', this.failed)
    video.addEventListener('playing', this.fine)
    this.load(0)
  }

  wallMs(): number | null {
    return dateOf(this.video)
  }

  choose(quality: Quality): void {
    if (quality === this.quality) return
    this.quality = quality
    this.load(this.video.currentTime)
  }

  toEdge(): void {
    const { seekable } = this.video
    if (this.source.live && seekable.length) this.video.currentTime = seekable.end(seekable.length - 1)
  }

  close(): void {
    this.video.removeEventListener('error', this.failed)
    this.video.removeEventListener('playing', this.fine)
    if (this.again !== null) clearTimeout(this.again)
    this.video.removeAttribute('src')
    this.video.load()
  }

  private load(at: number): void {
    this.video.src = renditionUrl(this.source, this.quality)
    if (this.source.live || at === 0) return
    this.video.addEventListener('loadedmetadata', () => (this.video.currentTime = at), { once: true })
  }

  private readonly fine = (): void => this.onTrouble(null)

  private readonly failed = (): void => {
    this.onTrouble('network')
    if (this.again !== null) return
    const at = this.video.currentTime
    this.again = setTimeout(() => {
      this.again = null
      this.load(at)
      void this.video.play().catch(() => undefined)
    }, AGAIN_MS)
  }
}
