/** Tells when the surroundings changed so that the links should be looked at: network, sleep of the laptop, page shown again. */
import { Emitter } from './emitter'

interface EnvironmentEvents {
  /** something happened that may have cut the links without telling them */
  suspect: 'online' | 'network' | 'woke' | 'shown'
  offline: undefined
}

const BEAT_MS = 1000
const JUMP_MS = 6000

export class EnvironmentWatch extends Emitter<EnvironmentEvents> {
  private beat: ReturnType<typeof setInterval> | undefined
  private last = 0
  private hiddenAt = 0
  private readonly off: (() => void)[] = []

  start(): void {
    this.last = Date.now()
    // A timer that comes much too late means that the machine slept.
    this.beat = setInterval(() => {
      const now = Date.now()
      const slept = now - this.last > JUMP_MS && document.visibilityState === 'visible'
      this.last = now
      if (slept) this.emit('suspect', 'woke')
    }, BEAT_MS)
    this.listen(window, 'online', () => this.emit('suspect', 'online'))
    this.listen(window, 'offline', () => this.emit('offline', undefined))
    this.listen(document, 'visibilitychange', () => {
      if (document.visibilityState === 'hidden') this.hiddenAt = Date.now()
      else if (Date.now() - this.hiddenAt > JUMP_MS) this.emit('suspect', 'shown')
    })
    const network = (navigator as Navigator & { connection?: EventTarget }).connection
    if (network) {
      let kind = (network as { type?: string }).type
      this.listen(network, 'change', () => {
        // The estimate of the speed changes all the time; only another kind of network matters.
        const now = (network as { type?: string }).type
        if (now === kind) return
        kind = now
        this.emit('suspect', 'network')
      })
    }
  }

  stop(): void {
    clearInterval(this.beat)
    for (const off of this.off.splice(0)) off()
  }

  private listen(target: EventTarget, name: string, handler: () => void): void {
    target.addEventListener(name, handler)
    this.off.push(() => target.removeEventListener(name, handler))
  }
}
