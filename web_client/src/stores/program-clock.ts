/**
 * Program time on this device: the server's word and a monotonic clock of our own. A newer word moves it gently, so that no second is
 * skipped or shown twice; only a difference that nobody would take for the same time is taken over at once.
 */

const SLEW = 0.1
const JUMP_MS = 3000

export class ProgramClock {
  /** program time minus device time: the one shown, and the one it moves to */
  private shown: number | null = null
  private wanted = 0
  private readAt = 0

  /** `programMs` was heard at `nowMs`; null: the consultation has not started. */
  anchor(programMs: number | null, nowMs: number): void {
    if (programMs === null) {
      this.shown = null
      return
    }
    const offset = programMs - nowMs
    if (this.shown === null || Math.abs(offset - this.shown) > JUMP_MS) {
      this.shown = offset
      this.readAt = nowMs
    }
    this.wanted = offset
  }

  at(nowMs: number): number | null {
    if (this.shown === null) return null
    const most = Math.max(0, nowMs - this.readAt) * SLEW
    this.shown += Math.min(most, Math.max(-most, this.wanted - this.shown))
    this.readAt = Math.max(this.readAt, nowMs)
    return nowMs + this.shown
  }
}

/** 01:12:46, always as wide. */
export function clockText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  return [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, '0')).join(':')
}
