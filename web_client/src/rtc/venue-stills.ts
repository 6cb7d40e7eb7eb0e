/**
 * Small pictures of several participants, one after the other: a connection is opened, one picture is taken from it, and it is closed again.
 * Twenty halls cost what one costs. Stopped it holds nothing: no transport, no timer.
 */
import { Emitter } from './emitter'

interface StillEvents {
  still: { id: string; picture: ImageBitmap; atMs: number }
  /** nothing could be taken */
  none: string
}

export interface StillOptions {
  createPeer: () => RTCPeerConnection
  play: (target: string, offer: string) => Promise<{ answer: string; address: string }>
  end: (address: string) => void
  /** takes one picture of a stream; null when none comes in time */
  grab: (stream: MediaStream) => Promise<ImageBitmap | null>
}

/** between two connections, and before the same picture is taken anew */
export const PAUSE_MS = 2000
export const ANEW_MS = 30_000
/** who has no camera is never heard of */
const PATIENCE_MS = 6000

export class VenueStills extends Emitter<StillEvents> {
  private targets: readonly string[] = []
  private readonly taken = new Map<string, number>()
  private timer: ReturnType<typeof setTimeout> | undefined
  private running = false
  private busy = false
  private round = 0

  constructor(private readonly options: StillOptions) {
    super()
  }

  /** Whose pictures are wanted now; nobody's is none. */
  show(targets: readonly string[]): void {
    this.targets = targets
    for (const id of this.taken.keys()) if (!targets.includes(id)) this.taken.delete(id)
    if (this.running && !this.busy && this.timer === undefined) this.next(0)
  }

  start(): void {
    if (this.running) return
    this.running = true
    this.next(0)
  }

  stop(): void {
    this.running = false
    this.round += 1
    clearTimeout(this.timer)
    this.timer = undefined
  }

  private next(inMs: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => {
      this.timer = undefined
      void this.turn()
    }, inMs)
  }

  private async turn(): Promise<void> {
    if (!this.running || this.busy) return
    const now = performance.now()
    const age = (id: string): number => now - (this.taken.get(id) ?? -Infinity)
    const id = [...this.targets].sort((one, two) => age(two) - age(one))[0]
    if (id === undefined) return
    const wait = ANEW_MS - age(id)
    if (wait > 0) {
      this.next(Math.max(wait, PAUSE_MS))
      return
    }
    this.busy = true
    this.taken.set(id, now)
    const round = this.round
    const picture = await this.take(id).catch(() => null)
    this.busy = false
    if (round !== this.round) {
      picture?.close()
      if (this.running) this.next(0)
      return
    }
    if (picture) this.emit('still', { id, picture, atMs: Date.now() })
    else this.emit('none', id)
    this.next(PAUSE_MS)
  }

  private async take(id: string): Promise<ImageBitmap | null> {
    const peer = this.options.createPeer()
    let address = ''
    let late: ReturnType<typeof setTimeout> | undefined
    try {
      const stream = new Promise<MediaStream | null>((done) => {
        peer.addEventListener('track', ({ track }) => done(new MediaStream([track])))
        late = setTimeout(() => done(null), PATIENCE_MS)
      })
      peer.addTransceiver('video', { direction: 'recvonly' })
      await peer.setLocalDescription(await peer.createOffer())
      const session = await this.options.play(id, peer.localDescription?.sdp ?? '')
      address = session.address
      await peer.setRemoteDescription({ type: 'answer', sdp: session.answer })
      const shown = await stream
      return shown && (await this.options.grab(shown))
    } finally {
      clearTimeout(late)
      peer.close()
      if (address) this.options.end(address)
    }
  }
}
