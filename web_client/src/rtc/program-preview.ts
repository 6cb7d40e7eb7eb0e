/**
 * The program, or a participant, as a player sees it: a connection that only receives the picture, opened anew when it breaks or stands still.
 * Stopped it holds nothing: no transport, no timer.
 */
import { Emitter } from './emitter'

interface PreviewEvents {
  /** null: there is none at the moment */
  picture: MediaStream | null
  /** pictures a second since the last look */
  rate: number
}

export interface PreviewOptions {
  createPeer: () => RTCPeerConnection
  play: (offer: string) => Promise<{ answer: string; address: string }>
  end: (address: string) => void
}

const RETRY_MS = [1000, 2000, 4000, 8000]
const LOOK_MS = 3000
/** looks without a new picture before it is taken for dead; the first one waits for a keyframe, too */
const STILL_LOOKS = 3

export class ProgramPreview extends Emitter<PreviewEvents> {
  private peer: RTCPeerConnection | null = null
  private address = ''
  private failures = 0
  private pictures = 0
  private stills = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private wanted = false

  constructor(private readonly options: PreviewOptions) {
    super()
  }

  start(): void {
    if (this.wanted) return
    this.wanted = true
    this.failures = 0
    void this.open()
  }

  stop(): void {
    this.wanted = false
    this.drop()
  }

  private async open(): Promise<void> {
    const peer = this.options.createPeer()
    this.peer = peer
    this.pictures = this.stills = 0
    peer.addTransceiver('video', { direction: 'recvonly' })
    peer.addEventListener('track', ({ track }) => {
      if (peer === this.peer) this.emit('picture', new MediaStream([track]))
    })
    peer.addEventListener('connectionstatechange', () => {
      if (peer === this.peer && peer.connectionState === 'failed') this.again()
    })
    try {
      await peer.setLocalDescription(await peer.createOffer())
      const { answer, address } = await this.options.play(peer.localDescription?.sdp ?? '')
      // Stopped meanwhile: the session is given back at once.
      if (peer !== this.peer) {
        this.options.end(address)
        return
      }
      this.address = address
      await peer.setRemoteDescription({ type: 'answer', sdp: answer })
      this.timer = setTimeout(() => void this.look(peer), LOOK_MS)
    } catch {
      if (peer === this.peer) this.again()
    }
  }

  /** A line may carry nothing without ever breaking. */
  private async look(peer: RTCPeerConnection): Promise<void> {
    let decoded = 0
    for (const each of (await peer.getStats()).values() as Iterable<{ type: string; framesDecoded?: number }>) if (each.type === 'inbound-rtp') decoded += each.framesDecoded ?? 0
    if (peer !== this.peer) return
    this.emit('rate', Math.max(0, decoded - this.pictures) / (LOOK_MS / 1000))
    this.stills = decoded > this.pictures ? 0 : this.stills + 1
    if (decoded > this.pictures) this.failures = 0
    this.pictures = decoded
    if (this.stills >= STILL_LOOKS) this.again()
    else this.timer = setTimeout(() => void this.look(peer), LOOK_MS)
  }

  private again(): void {
    this.drop()
    if (!this.wanted) return
    const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)]
    this.failures += 1
    this.timer = setTimeout(() => void this.open(), wait)
  }

  private drop(): void {
    clearTimeout(this.timer)
    const peer = this.peer
    this.peer = null
    if (!peer) return
    peer.close()
    if (this.address) this.options.end(this.address)
    this.address = ''
    this.emit('picture', null)
  }
}
