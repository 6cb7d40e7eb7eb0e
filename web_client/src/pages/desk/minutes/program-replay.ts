/** The recorded program as a silent picture that stands where the transcript is. Loaded only where there is one: hls.js is large. */
import Hls, { Events } from 'hls.js/light'
import { placeAt, type DatedPiece } from './replay-place'

/** moved only when it is further off than this: the picture plays beside the sound */
const NEAR_S = 0.5

export class ProgramReplay {
  private readonly hls: Hls
  private wanted: number | null = null
  private pieces: readonly DatedPiece[] = []

  /** `token` is asked for with each request; `epochWallMs`: when program time was nought. */
  constructor(
    private readonly video: HTMLVideoElement,
    url: string,
    token: () => string | null,
    private readonly epochWallMs: number,
    onGone: () => void,
  ) {
    const header = (): string | null => {
      const now = token()
      return now && `Bearer ${now}`
    }
    this.hls = new Hls({
      enableWorker: false,
      backBufferLength: 30,
      maxBufferLength: 20,
      // The picture is as large as a stamp.
      capLevelToPlayerSize: true,
      startPosition: 0,
      xhrSetup: (request) => {
        const bearer = header()
        if (bearer) request.setRequestHeader('Authorization', bearer)
      },
    })
    this.hls.on(Events.LEVEL_LOADED, (_event, { details }) => {
      this.pieces = details.fragments
      this.apply(true)
    })
    this.hls.on(Events.ERROR, (_event, { fatal }) => {
      if (!fatal) return
      this.close()
      onGone()
    })
    this.hls.attachMedia(video)
    this.hls.loadSource(url)
  }

  /** Stand at this program time, and move if the sound does. */
  show(programMs: number, playing: boolean, speed: number): void {
    this.wanted = programMs
    this.video.playbackRate = speed
    this.apply(!playing)
    if (playing && this.video.paused) void this.video.play().catch(() => undefined)
    if (!playing && !this.video.paused) this.video.pause()
  }

  close(): void {
    this.hls.destroy()
  }

  private apply(exactly: boolean): void {
    if (this.wanted === null) return
    const place = placeAt(this.pieces, this.epochWallMs + this.wanted)
    if (place === null) return
    if (Math.abs(this.video.currentTime - place) > (exactly ? 0.05 : NEAR_S)) this.video.currentTime = place
  }
}
