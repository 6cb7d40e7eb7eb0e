/** A shared screen: its picture and, where the browser gives it, its sound. */
import { Emitter } from './emitter'

export class ScreenShare extends Emitter<{ ended: undefined }> {
  readonly picture: MediaStreamTrack
  readonly sound: MediaStreamTrack | null

  private constructor(stream: MediaStream, picture: MediaStreamTrack) {
    super()
    this.picture = picture
    this.sound = stream.getAudioTracks()[0] ?? null
    // Letters matter more than motion.
    this.picture.contentHint = 'detail'
    this.picture.addEventListener('ended', () => this.emit('ended', undefined))
  }

  static supported(): boolean {
    const media = navigator.mediaDevices as Partial<MediaDevices> | undefined
    return typeof media?.getDisplayMedia === 'function'
  }

  /** null when the reader closed the browser's window without choosing. */
  static async open(): Promise<ScreenShare | null> {
    try {
      const stream = await navigator.mediaDevices.getDisplayMedia({
        video: { frameRate: { ideal: 15, max: 30 } },
        audio: true,
      })
      const picture = stream.getVideoTracks()[0]
      return picture ? new ScreenShare(stream, picture) : null
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotAllowedError') return null
      throw error
    }
  }

  stop(): void {
    this.picture.stop()
    this.sound?.stop()
  }
}
