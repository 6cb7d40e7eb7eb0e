/** What a camera's pictures say: how bright they are, and whether they move at all. Pure: samples of brightness and a time in. */

/** Small enough to be read ten times a second, large enough for the noise of a camera to show. */
export const SAMPLE_WIDTH = 160
export const SAMPLE_HEIGHT = 90
/** Mean difference, of 255, by which two pictures differ at all. A real camera's noise is many times that. */
const MOVES = 0.01
const WHITE = 250

export interface Light {
  mean: number
  contrast: number
  bright_share: number
}

export function brightness(rgba: Uint8ClampedArray): Uint8Array {
  const luma = new Uint8Array(rgba.length / 4)
  for (let at = 0, from = 0; at < luma.length; at += 1, from += 4) {
    luma[at] = (77 * (rgba[from] ?? 0) + 150 * (rgba[from + 1] ?? 0) + 29 * (rgba[from + 2] ?? 0)) >> 8
  }
  return luma
}

export function lightOf(luma: Uint8Array): Light {
  let [sum, squares, white] = [0, 0, 0]
  for (const value of luma) {
    sum += value
    squares += value * value
    if (value >= WHITE) white += 1
  }
  const mean = sum / Math.max(1, luma.length)
  const contrast = Math.sqrt(Math.max(0, squares / Math.max(1, luma.length) - mean * mean))
  return { mean, contrast, bright_share: white / Math.max(1, luma.length) }
}

export function difference(one: Uint8Array, other: Uint8Array): number {
  let sum = 0
  for (let at = 0; at < one.length; at += 1) sum += Math.abs((one[at] ?? 0) - (other[at] ?? 0))
  return sum / Math.max(1, one.length)
}

/** Looks at a camera for some seconds. */
export class PictureWatch {
  private last: Uint8Array | null = null
  private movedAt = 0
  private beganAt: number | null = null
  private still = 0
  private newest = 0
  private readonly lights: Light[] = []

  add(luma: Uint8Array, atMs: number): void {
    if (this.beganAt === null) this.beganAt = this.movedAt = atMs
    if (this.last && difference(this.last, luma) >= MOVES) this.movedAt = atMs
    this.still = Math.max(this.still, atMs - this.movedAt)
    this.last = luma
    this.newest = atMs
    this.lights.push(lightOf(luma))
  }

  /** the longest time in which nothing changed */
  get stillMs(): number {
    return Math.round(this.still)
  }

  get watchedMs(): number {
    return this.beganAt === null ? 0 : Math.round(this.newest - this.beganAt)
  }

  /** The middle of all: somebody may walk through the picture. Null when there was none. */
  get light(): Light | null {
    const middle = [...this.lights].sort((one, other) => one.mean - other.mean)[Math.floor(this.lights.length / 2)]
    return middle ?? null
  }
}
