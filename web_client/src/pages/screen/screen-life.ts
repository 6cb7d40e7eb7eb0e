/**
 * The life of a big screen, which nobody stands beside: it opens the door, looks whether there is a meeting, enters it, and begins again by
 * itself whatever the end was. Within a meeting the session keeps its own lines alive; here is what comes before and after one.
 */
import { RequestError } from '@/api/room-socket'
import { SessionError, type SessionInfo } from '@/api/session'
import { Emitter } from '@/rtc/emitter'
import type { EndReason } from '@/rtc/room-session'

/** before: the consultation cannot be entered yet. over: it has ended. refused: with the code of why. */
export type ScreenPhase = { kind: 'opening' | 'before' | 'inside' | 'over' } | { kind: 'refused'; code: string }

interface LifeEvents {
  phase: ScreenPhase
  info: SessionInfo
}

export interface LifeOptions {
  door: {
    readonly byLink: boolean
    readonly current: string | null
    token: () => Promise<string>
    forget: () => void
    readResume: () => unknown
    keepResume: (resume: null) => void
  }
  look: (token: string) => Promise<SessionInfo>
  /** Enters; `over` is told of the end. */
  enter: (token: string) => void
}

const OPEN = new Set(['scheduled', 'live', 'rehearsal'])
const ENDED = new Set(['ended', 'archived'])
/** Of these another token from the link is a way out. */
const OF_THE_TOKEN = new Set(['token_expired', 'token_revoked', 'token_invalid', 'token_missing'])
/** Of the server's or the network's trouble nobody has to be told in words: it passes. */
const PASSING = new Set(['unreachable', 'offline', 'failed', 'internal', 'timeout', 'rate_limited', 'storage_unavailable', 'other_node'])
const CLOSED = new Set(['consultation_not_open', 'invalid_state'])

const AGAIN_MS = [1000, 2000, 4000, 8000, 15_000]
const BEFORE_MS = 10_000
const OVER_MS = 60_000
const REFUSED_MS = 20_000

export class ScreenLife extends Emitter<LifeEvents> {
  private failures = 0
  private renewed = false
  private stopped = false
  private timer: ReturnType<typeof setTimeout> | undefined
  private shown: ScreenPhase = { kind: 'opening' }

  constructor(private readonly options: LifeOptions) {
    super()
  }

  get phase(): ScreenPhase {
    return this.shown
  }

  start(): void {
    void this.attempt()
  }

  stop(): void {
    this.stopped = true
    clearTimeout(this.timer)
  }

  /** The room's snapshot came: it is inside. */
  inside(): void {
    this.failures = 0
    this.renewed = false
    this.show({ kind: 'inside' })
  }

  /** The session ended, for this reason. */
  over(reason: EndReason): void {
    if (reason.kind === 'refused') this.refused(reason.code)
    else {
      // Another window with the same secret has its place, or it was sent out: it comes as another screen.
      this.options.door.keepResume(null)
      if (reason.kind === 'removed') {
        this.options.door.forget()
        this.show({ kind: 'opening' })
      }
      this.later(AGAIN_MS[2])
    }
  }

  private async attempt(): Promise<void> {
    if (this.stopped) return
    const { door, look, enter } = this.options
    try {
      const token = await door.token()
      let info: SessionInfo
      try {
        info = await look(token)
      } catch (error) {
        // Who was inside before may come back with an expired token, if there is no other.
        if (codeOf(error) === 'token_expired' && !door.byLink && door.readResume() !== null) {
          enter(token)
          return
        }
        throw error
      }
      if (this.stopped) return
      this.emit('info', info)
      const { status } = info.consultation
      if (OPEN.has(status)) enter(token)
      else if (ENDED.has(status)) this.finish()
      else this.wait()
    } catch (error) {
      this.refused(codeOf(error))
    }
  }

  private refused(code: string): void {
    if (this.stopped) return
    const { door } = this.options
    if (OF_THE_TOKEN.has(code) && door.byLink && !this.renewed) {
      this.renewed = true
      door.forget()
      this.later(0)
    } else if (code === 'consultation_ended') this.finish()
    else if (CLOSED.has(code)) this.wait()
    else if (PASSING.has(code)) {
      const wait = AGAIN_MS[Math.min(this.failures, AGAIN_MS.length - 1)]
      this.failures += 1
      this.later(wait)
    } else {
      this.renewed = false
      this.show({ kind: 'refused', code })
      this.later(REFUSED_MS)
    }
  }

  private wait(): void {
    this.show({ kind: 'before' })
    this.later(BEFORE_MS)
  }

  private finish(): void {
    this.show({ kind: 'over' })
    this.later(OVER_MS)
  }

  private later(ms = 0): void {
    clearTimeout(this.timer)
    if (!this.stopped) this.timer = setTimeout(() => void this.attempt(), ms)
  }

  private show(phase: ScreenPhase): void {
    this.shown = phase
    this.emit('phase', phase)
  }
}

function codeOf(error: unknown): string {
  return error instanceof RequestError || error instanceof SessionError ? error.code : 'failed'
}
