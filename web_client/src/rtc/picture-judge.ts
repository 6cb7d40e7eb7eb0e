/** Whether a camera's picture is one: dark and even pictures come from a capture box without a signal, pictures that never change from a camera that hangs. */

export type PictureVerdict = 'good' | 'no_signal' | 'frozen'

const DARK = 20
const EVEN = 6
const NO_SIGNAL_MS = 3000
const SAME_FLAT_MS = 5000
/** A screen that is captured may well stand still for a while. */
const FROZEN_MS = 20_000

export interface Look {
  /** 0 to 255 */
  mean: number
  deviation: number
}

export function lookAt(luma: Uint8Array): Look {
  let sum = 0
  let squares = 0
  for (const value of luma) {
    sum += value
    squares += value * value
  }
  const mean = sum / Math.max(1, luma.length)
  return { mean, deviation: Math.sqrt(Math.max(0, squares / Math.max(1, luma.length) - mean * mean)) }
}

export class PictureJudge {
  private last: Uint8Array | null = null
  private sameSince = 0
  private darkSince: number | null = null

  /** Brightness of a few hundred points of the picture, once a second. */
  take(luma: Uint8Array, atMs: number): PictureVerdict {
    const before = this.last
    const same = before !== null && before.length === luma.length && luma.every((value, at) => value === before[at])
    if (!same) this.sameSince = atMs
    this.last = luma
    const { mean, deviation } = lookAt(luma)
    if (mean < DARK && deviation < EVEN) this.darkSince ??= atMs
    else this.darkSince = null
    if (this.darkSince !== null && atMs - this.darkSince >= NO_SIGNAL_MS) return 'no_signal'
    if (deviation < EVEN && atMs - this.sameSince >= SAME_FLAT_MS) return 'no_signal'
    return atMs - this.sameSince >= FROZEN_MS ? 'frozen' : 'good'
  }

  reset(): void {
    this.last = null
    this.darkSince = null
  }
}
