/** Where the rows of a long list stand: measured heights where they are known, else an estimate. Units are CSS pixels. */

export class RowHeights {
  private keys: readonly string[] = []
  private readonly measured = new Map<string, number>()
  private readonly guesses = new Map<string, number>()
  private tops = new Float64Array(1)
  private stale = true

  /** Other rows, or another order; what was measured of a key is kept. */
  use(keys: readonly string[], estimate: (at: number) => number): void {
    this.keys = keys
    this.guesses.clear()
    keys.forEach((key, at) => {
      if (!this.measured.has(key)) this.guesses.set(key, estimate(at))
    })
    this.stale = true
  }

  /** Widths changed: everything has to be measured again, and is taken as it was until then. */
  forget(): void {
    for (const [key, height] of this.measured) this.guesses.set(key, height)
    this.measured.clear()
    this.stale = true
  }

  /** By how much the row grew against what was taken for it. */
  set(key: string, height: number): number {
    const before = this.of(key)
    if (before === height && this.measured.has(key)) return 0
    this.measured.set(key, height)
    if (before !== height) this.stale = true
    return height - before
  }

  get count(): number {
    return this.keys.length
  }

  get total(): number {
    return this.top(this.keys.length)
  }

  top(at: number): number {
    if (this.stale) this.sum()
    return this.tops[Math.max(0, Math.min(at, this.keys.length))] ?? 0
  }

  height(at: number): number {
    return this.of(this.keys[at] ?? '')
  }

  /** The row at a place; before the first the first, behind the last the last. */
  at(y: number): number {
    if (this.stale) this.sum()
    let low = 0
    let high = Math.max(0, this.keys.length - 1)
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.tops[middle] ?? 0) <= y) low = middle
      else high = middle - 1
    }
    return low
  }

  private of(key: string): number {
    return this.measured.get(key) ?? this.guesses.get(key) ?? 0
  }

  private sum(): void {
    this.tops = new Float64Array(this.keys.length + 1)
    let y = 0
    this.keys.forEach((key, at) => {
      this.tops[at] = y
      y += this.of(key)
    })
    this.tops[this.keys.length] = y
    this.stale = false
  }
}
