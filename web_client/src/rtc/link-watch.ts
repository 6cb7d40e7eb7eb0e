/**
 * Watches one peer connection and asks for a new one in time: at once when it failed, after 2 s when it is disconnected (ICE often
 * comes back by itself before that), and when connecting takes too long. While signalling is down nothing can be rebuilt: it waits.
 */

const DISCONNECTED_MS = 2000
const CONNECTING_MS = [8000, 12_000, 20_000]

export class LinkWatch {
  /** false from the moment the connection is given up until the new one stands */
  good = true
  private paused = false
  private due = false
  private attempts = 0
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly rebuild: () => void,
    private readonly changed: () => void,
  ) {}

  update(state: RTCPeerConnectionState): void {
    clearTimeout(this.timer)
    if (state === 'connected') {
      this.attempts = 0
      this.due = false
      this.set(true)
    } else if (state === 'failed') {
      this.giveUp()
    } else if (state === 'disconnected') {
      this.timer = setTimeout(() => this.giveUp(), DISCONNECTED_MS)
    } else if (state === 'new' || state === 'connecting') {
      const patience = CONNECTING_MS[Math.min(this.attempts, CONNECTING_MS.length - 1)] ?? 20_000
      this.timer = setTimeout(() => this.giveUp(), patience)
    }
  }

  /** Signalling is down. */
  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    if (!this.due) return
    this.due = false
    this.rebuild()
  }

  /** A new connection has been started for another reason. */
  restarted(): void {
    this.due = false
    this.update('new')
  }

  stop(): void {
    clearTimeout(this.timer)
    this.due = false
    this.set(true)
  }

  private giveUp(): void {
    this.set(false)
    this.attempts += 1
    if (this.paused) {
      this.due = true
      return
    }
    this.update('new')
    this.rebuild()
  }

  private set(good: boolean): void {
    if (this.good === good) return
    this.good = good
    this.changed()
  }
}
