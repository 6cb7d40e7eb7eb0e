/**
 * One of a venue's cameras while it is wanted: opened by its own device and no other, watched, and opened again after it was unplugged or
 * another program let go of it. What it shows is looked at once a second, because a capture box without a signal is a camera that works.
 */
import { captureProblem, problemOf, type DeviceProblem } from './devices'
import { Emitter } from './emitter'
import { PictureJudge } from './picture-judge'

export type CameraState = 'off' | 'opening' | 'good' | 'unplugged' | 'held' | 'no_signal' | 'frozen' | DeviceProblem

interface VenueCameraEvents {
  changed: undefined
  track: MediaStreamTrack | null
}

const RETRY_MS = 4000
const LOOK_MS = 1000
const LOOK_WIDTH = 48
const LOOK_HEIGHT = 27

export class VenueCamera extends Emitter<VenueCameraEvents> {
  track: MediaStreamTrack | null = null
  state: CameraState = 'off'
  wanted = false
  private present = true
  private turn = 0
  private retry: ReturnType<typeof setTimeout> | undefined
  private looks: ReturnType<typeof setInterval> | undefined
  private readonly judge = new PictureJudge()

  constructor(
    readonly id: string,
    /** what the system calls it */
    readonly device: string,
  ) {
    super()
  }

  async open(): Promise<void> {
    this.wanted = true
    clearTimeout(this.retry)
    const problem = captureProblem()
    if (problem) {
      this.failed(problem)
      return
    }
    if (!this.present) {
      this.failed('unplugged')
      return
    }
    this.turn += 1
    const turn = this.turn
    if (!this.track) this.show('opening')
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        video: { deviceId: { exact: this.id }, width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 25, max: 30 } },
      })
      this.opened(turn, stream.getVideoTracks()[0] ?? null)
    } catch (error) {
      if (turn === this.turn) this.failed(problemOf(error))
    }
  }

  /** Stops the device, so that its light goes out. */
  shut(): void {
    this.wanted = false
    this.turn += 1
    clearTimeout(this.retry)
    this.release()
    this.show('off')
  }

  /** Whether it is among the devices that the system lists. */
  setPresent(present: boolean): void {
    const came = present && !this.present
    this.present = present
    if (!this.wanted) return
    if (came && !this.track) void this.open()
    else if (!present && this.track?.readyState !== 'live') this.failed('unplugged')
  }

  private opened(turn: number, track: MediaStreamTrack | null): void {
    if (turn !== this.turn || !this.wanted) {
      track?.stop()
      return
    }
    if (!track) {
      this.failed('missing')
      return
    }
    const old = this.track
    this.track = track
    track.addEventListener('ended', () => this.ended(track))
    track.addEventListener('mute', () => this.held(track, true))
    track.addEventListener('unmute', () => this.held(track, false))
    this.judge.reset()
    this.look(track)
    this.emit('track', track)
    if (old && old !== track) old.stop()
    this.show(track.muted ? 'held' : 'good')
  }

  private ended(track: MediaStreamTrack): void {
    if (this.track !== track || !this.wanted) return
    this.release()
    void this.open()
  }

  private held(track: MediaStreamTrack, held: boolean): void {
    if (this.track === track) this.show(held ? 'held' : 'good')
  }

  private failed(problem: DeviceProblem | 'unplugged'): void {
    this.release()
    // A device that is gone is asked for by its id in vain.
    this.show(problem === 'missing' ? 'unplugged' : problem)
    clearTimeout(this.retry)
    // Nobody tells when another program lets go of a device.
    if (problem === 'busy' || problem === 'failed') this.retry = setTimeout(() => void (this.wanted && this.open()), RETRY_MS)
  }

  private release(): void {
    clearInterval(this.looks)
    const track = this.track
    if (!track) return
    this.track = null
    this.emit('track', null)
    track.stop()
  }

  private show(state: CameraState): void {
    if (this.state === state) return
    this.state = state
    this.emit('changed', undefined)
  }

  private look(track: MediaStreamTrack): void {
    clearInterval(this.looks)
    const video = document.createElement('video')
    video.muted = video.playsInline = true
    video.srcObject = new MediaStream([track])
    video.play().catch(() => undefined)
    const canvas = document.createElement('canvas')
    canvas.width = LOOK_WIDTH
    canvas.height = LOOK_HEIGHT
    const context = canvas.getContext('2d', { willReadFrequently: true })
    this.looks = setInterval(() => {
      // A hidden page's video stands still by itself.
      if (!context || video.videoWidth === 0 || document.visibilityState === 'hidden' || track.muted) return
      context.drawImage(video, 0, 0, LOOK_WIDTH, LOOK_HEIGHT)
      const verdict = this.judge.take(lumaOf(context.getImageData(0, 0, LOOK_WIDTH, LOOK_HEIGHT).data), performance.now())
      if (this.track === track && ['good', 'no_signal', 'frozen'].includes(this.state)) this.show(verdict)
    }, LOOK_MS)
  }
}

function lumaOf(pixels: Uint8ClampedArray): Uint8Array {
  const luma = new Uint8Array(pixels.length / 4)
  for (let at = 0; at < luma.length; at += 1) {
    luma[at] = ((pixels[at * 4] ?? 0) * 77 + (pixels[at * 4 + 1] ?? 0) * 151 + (pixels[at * 4 + 2] ?? 0) * 28) >> 8
  }
  return luma
}
