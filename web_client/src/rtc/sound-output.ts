/**
 * The sound of the room: one <audio> element per publication, apart from all tiles, so that what is heard never depends on what is shown.
 * (One element for all would be enough for Firefox; Chromium plays only the first track of a stream with several.)
 */
import { Emitter } from './emitter'

interface SoundEvents {
  /** the browser refuses playback until the reader touches the page */
  blocked: boolean
}

type Sinkable = HTMLAudioElement & { setSinkId?: (id: string) => Promise<void> }

export class SoundOutput extends Emitter<SoundEvents> {
  private readonly elements = new Map<string, HTMLAudioElement>()
  private readonly host = document.createElement('div')
  private speaker = ''
  private blocked = false
  private volume = 1
  private readonly again = (): void => {
    if (document.visibilityState === 'visible') void this.play()
  }

  constructor() {
    super()
    this.host.hidden = true
    document.body.append(this.host)
    document.addEventListener('visibilitychange', this.again)
    document.addEventListener('pointerdown', this.again)
  }

  /** The tracks to be heard now, by publication. */
  set(tracks: Map<string, MediaStreamTrack>): void {
    for (const [id, element] of this.elements) {
      if (tracks.has(id)) continue
      element.srcObject = null
      element.remove()
      this.elements.delete(id)
    }
    for (const [id, track] of tracks) {
      const known = this.elements.get(id)
      const playing = (known?.srcObject as MediaStream | null)?.getAudioTracks()[0]
      if (known && playing === track) continue
      const element = known ?? this.open(id)
      element.srcObject = new MediaStream([track])
    }
    void this.play()
  }

  async play(): Promise<void> {
    let refused = false
    await Promise.all(
      [...this.elements.values()].map((element) =>
        element.paused
          ? element.play().catch((error: unknown) => {
              if (error instanceof DOMException && error.name === 'NotAllowedError') refused = true
            })
          : undefined,
      ),
    )
    if (refused === this.blocked) return
    this.blocked = refused
    this.emit('blocked', refused)
  }

  async use(speaker: string | null): Promise<void> {
    this.speaker = speaker ?? ''
    await Promise.all([...this.elements.values()].map((element) => this.route(element)))
  }

  /** 0 to 1, of all that is heard. */
  turn(volume: number): void {
    this.volume = volume
    for (const element of this.elements.values()) element.volume = volume
  }

  close(): void {
    document.removeEventListener('visibilitychange', this.again)
    document.removeEventListener('pointerdown', this.again)
    this.set(new Map())
    this.host.remove()
  }

  private open(id: string): HTMLAudioElement {
    const element = document.createElement('audio')
    element.autoplay = true
    element.volume = this.volume
    element.setAttribute('playsinline', '')
    this.elements.set(id, element)
    this.host.append(element)
    void this.route(element)
    return element
  }

  private async route(element: Sinkable): Promise<void> {
    // The chosen loudspeaker may be unplugged: the system's own one plays then.
    if (element.setSinkId && (this.speaker || 'sinkId' in element)) await element.setSinkId(this.speaker).catch(() => undefined)
  }
}
