/** Opens the camera as the console does and looks at it for some seconds. */
import type { FiguresOf, ProblemName } from '@/api/precheck'
import { cameraConstraints, captureProblem, problemOf, readChoice } from '../devices'
import { brightness, PictureWatch, SAMPLE_HEIGHT, SAMPLE_WIDTH } from './picture'
import { pause, whenStopped } from './waiting'

const LOOK_EVERY_MS = 100
const FIRST_PICTURE_MS = 5000
/** A camera begins slowly, and finds its light in the first second. */
const WARM_UP_MS = 1000

export interface Looked {
  camera: FiguresOf['camera']
  light: FiguresOf['light']
}

/** A camera while it is looked at. `video` shows it. */
export class CameraTest {
  private stream: MediaStream | null = null

  constructor(private readonly video: HTMLVideoElement) {}

  async look(lastsMs: number, stop: AbortSignal, told: (part: number) => void): Promise<Looked> {
    const problem = await this.open(stop)
    if (problem) return unseen(problem)
    const { video } = this
    await this.firstPicture(stop)
    await pause(WARM_UP_MS, stop)
    const canvas = document.createElement('canvas')
    canvas.width = SAMPLE_WIDTH
    canvas.height = SAMPLE_HEIGHT
    const context = canvas.getContext('2d', { willReadFrequently: true })
    const watch = new PictureWatch()
    const track = this.stream?.getVideoTracks()[0] ?? null
    const [began, shown] = [performance.now(), framesOf(video, track)]
    let now = began
    while (now - began < lastsMs) {
      if (context && video.videoWidth > 0) {
        context.drawImage(video, 0, 0, SAMPLE_WIDTH, SAMPLE_HEIGHT)
        watch.add(brightness(context.getImageData(0, 0, SAMPLE_WIDTH, SAMPLE_HEIGHT).data), now)
      }
      await pause(LOOK_EVERY_MS, stop)
      now = performance.now()
      told(Math.min(1, (now - began) / lastsMs))
    }
    const { light } = watch
    return {
      camera: {
        problem: '',
        width: video.videoWidth,
        height: video.videoHeight,
        frames_per_s: Math.min(1000, (1000 * (framesOf(video, track) - shown)) / (now - began)),
        // Without a single picture it stood still all the time.
        still_ms: light ? watch.stillMs : Math.round(now - began),
        watched_ms: Math.round(now - began),
      },
      light: light ? { seen: true, ...light } : { seen: false, mean: 0, contrast: 0, bright_share: 0 },
    }
  }

  close(): void {
    // Another look may have begun meanwhile.
    if (this.video.srcObject === this.stream) this.video.srcObject = null
    for (const track of this.stream?.getTracks() ?? []) track.stop()
    this.stream = null
  }

  private async open(stop: AbortSignal): Promise<ProblemName> {
    const problem = captureProblem()
    if (problem) return problem
    try {
      const wish = { ...cameraConstraints(readChoice(), false), width: { ideal: 1920 }, height: { ideal: 1080 } }
      const stream = await navigator.mediaDevices.getUserMedia({ video: wish })
      if (stop.aborted) {
        for (const track of stream.getTracks()) track.stop()
        return whenStopped(stop, Promise.resolve(''))
      }
      this.stream = stream
    } catch (error) {
      if (stop.aborted) throw error
      return problemOf(error)
    }
    this.video.srcObject = this.stream
    await this.video.play().catch(() => undefined)
    return ''
  }

  private async firstPicture(stop: AbortSignal): Promise<void> {
    const until = performance.now() + FIRST_PICTURE_MS
    while (this.video.videoWidth === 0 && performance.now() < until) await pause(50, stop)
  }
}

function unseen(problem: ProblemName): Looked {
  return {
    camera: { problem, width: 0, height: 0, frames_per_s: 0, still_ms: 0, watched_ms: 0 },
    light: { seen: false, mean: 0, contrast: 0, bright_share: 0 },
  }
}

/** Of the camera itself where the browser tells; else those that were shown, which a busy computer makes fewer. */
function framesOf(video: HTMLVideoElement, track: MediaStreamTrack | null): number {
  const given = track as (MediaStreamTrack & { stats?: { totalFrames?: number } }) | null
  if (typeof given?.stats?.totalFrames === 'number') return given.stats.totalFrames
  const asked = video as HTMLVideoElement & { getVideoPlaybackQuality?: () => VideoPlaybackQuality }
  return asked.getVideoPlaybackQuality?.().totalVideoFrames ?? 0
}
