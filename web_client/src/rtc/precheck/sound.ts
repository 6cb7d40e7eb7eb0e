/** What a microphone's samples say: how loud speech and noise are, whether tops are cut off, whether one side is dead. Pure. */

export const SILENCE_DBFS = -120
/** so long is a piece whose level is taken */
export const PIECE_S = 0.04
/** A top that is cut off is several samples long. */
const FLAT_RUN = 3
const FULL = 0.985
const LOUD_QUANTILE = 0.9
const QUIET_QUANTILE = 0.1

export interface SoundFigures {
  speech_dbfs: number
  noise_dbfs: number
  clipped_share: number
  left_dbfs: number | null
  right_dbfs: number | null
  heard_ms: number
}

export function decibels(meanSquare: number): number {
  return meanSquare > 0 ? Math.max(SILENCE_DBFS, 10 * Math.log10(meanSquare)) : SILENCE_DBFS
}

export function meanSquare(samples: Float32Array): number {
  let sum = 0
  for (const sample of samples) sum += sample * sample
  return sum / Math.max(1, samples.length)
}

/** How many samples lie in runs at the end of the scale. */
export function clippedSamples(samples: Float32Array): number {
  let [clipped, run, side] = [0, 0, 0]
  for (const sample of samples) {
    const now = sample >= FULL ? 1 : sample <= -FULL ? -1 : 0
    if (now !== 0 && now === side) run += 1
    else {
      if (run >= FLAT_RUN) clipped += run
      run = now === 0 ? 0 : 1
      side = now
    }
  }
  return clipped + (run >= FLAT_RUN ? run : 0)
}

/** Which value so large a part of all lies below. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? SILENCE_DBFS
}

/** Listens for some seconds. Speech is the loud part of that time, noise the quiet part. */
export class SoundWatch {
  private readonly levels: number[] = []
  private readonly sides: [number, number] = [0, 0]
  private rest: Float32Array[] = []
  private restLength = 0
  private clipped = 0
  private samples = 0
  private stereo = false

  constructor(private readonly rate: number) {}

  /** One or two channels of the same length. */
  add(channels: readonly Float32Array[]): void {
    const [left, right] = channels
    if (!left) return
    this.samples += left.length
    const both = right && right.length === left.length ? right : null
    this.stereo ||= both !== null
    this.sides[0] += meanSquare(left) * left.length
    this.sides[1] += meanSquare(both ?? left) * left.length
    this.clipped += Math.max(clippedSamples(left), both ? clippedSamples(both) : 0)
    // The louder side counts: a lapel microphone may sit on one alone.
    const louder = both && meanSquare(both) > meanSquare(left) ? both : left
    this.rest.push(louder)
    this.restLength += louder.length
    this.cut()
  }

  get level(): number {
    return this.levels.at(-1) ?? SILENCE_DBFS
  }

  figures(): SoundFigures {
    const of = (side: 0 | 1): number | null => (this.stereo ? decibels(this.sides[side] / Math.max(1, this.samples)) : null)
    return {
      speech_dbfs: quantile(this.levels, LOUD_QUANTILE),
      noise_dbfs: quantile(this.levels, QUIET_QUANTILE),
      clipped_share: this.clipped / Math.max(1, this.samples),
      left_dbfs: of(0),
      right_dbfs: of(1),
      heard_ms: Math.round((1000 * this.samples) / this.rate),
    }
  }

  private cut(): void {
    const length = Math.round(PIECE_S * this.rate)
    if (this.restLength < length) return
    const whole = joined(this.rest, this.restLength)
    let at = 0
    for (; at + length <= whole.length; at += length) this.levels.push(decibels(meanSquare(whole.subarray(at, at + length))))
    this.rest = [whole.subarray(at)]
    this.restLength = whole.length - at
  }
}

export function joined(pieces: readonly Float32Array[], length: number): Float32Array {
  const whole = new Float32Array(length)
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
}
