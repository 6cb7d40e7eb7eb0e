/**
 * QR codes (ISO/IEC 18004) of short texts, drawn in the page: a link that opens a meeting goes to no service for that. Bytes, error correction M
 * (15 %), versions 1 to 20, which is 666 bytes.
 */

/** Dark modules by row and column. */
export type Modules = boolean[][]

const MOST_VERSION = 20
/** of error correction M, from version 1 */
const CHECK_BYTES = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26]
const BLOCKS = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16]
const FORMAT_M = 0b00
const QUIET_ZONE = 4

const MASKS: ((row: number, column: number) => boolean)[] = [
  (r, c) => (r + c) % 2 === 0,
  (r) => r % 2 === 0,
  (_r, c) => c % 3 === 0,
  (r, c) => (r + c) % 3 === 0,
  (r, c) => (Math.floor(r / 2) + Math.floor(c / 3)) % 2 === 0,
  (r, c) => ((r * c) % 2) + ((r * c) % 3) === 0,
  (r, c) => (((r * c) % 2) + ((r * c) % 3)) % 2 === 0,
  (r, c) => (((r + c) % 2) + ((r * c) % 3)) % 2 === 0,
]

/** Exponents and logarithms of the field of 256 elements over x^8 + x^4 + x^3 + x^2 + 1. */
const EXP = new Uint8Array(512)
const LOG = new Uint8Array(256)
for (let at = 0, value = 1; at < 255; at += 1) {
  EXP[at] = EXP[at + 255] = value
  LOG[value] = at
  value = value < 128 ? value << 1 : (value << 1) ^ 0x11d
}

const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0
const product = (a: number, b: number): number => (a && b ? byteAt(EXP, byteAt(LOG, a) + byteAt(LOG, b)) : 0)

/** The code of a text, or null when it is too long. `mask` fixes what is otherwise chosen by looks. */
export function qrModules(text: string, mask?: number): Modules | null {
  const bytes = new TextEncoder().encode(text)
  const version = Array.from({ length: MOST_VERSION }, (_, at) => at + 1).find((each) => 4 + lengthBits(each) + 8 * bytes.length <= 8 * dataBytes(each))
  if (version === undefined) return null
  const words = interleaved(padded(bytes, version), version)
  if (mask !== undefined) return drawn(version, words, mask)
  const all = MASKS.map((_, number) => drawn(version, words, number))
  const scores = all.map(penalty)
  return all[scores.indexOf(Math.min(...scores))] ?? null
}

/** As one path with a quiet zone around, in units of a module. */
export function qrPath(modules: Modules): { size: number; path: string } {
  const parts: string[] = []
  modules.forEach((row, y) => {
    row.forEach((dark, x) => {
      if (!dark || row[x - 1]) return
      let end = x
      while (row[end]) end += 1
      parts.push(`M${x + QUIET_ZONE} ${y + QUIET_ZONE}h${end - x}v1h-${end - x}z`)
    })
  })
  return { size: modules.length + 2 * QUIET_ZONE, path: parts.join('') }
}

const lengthBits = (version: number): number => (version < 10 ? 8 : 16)
const checkBytes = (version: number): number => CHECK_BYTES[version - 1] ?? 0
const blocksOf = (version: number): number => BLOCKS[version - 1] ?? 1

/** Positions of the small squares on each axis. */
function alignments(version: number): number[] {
  if (version === 1) return []
  const count = Math.floor(version / 7) + 2
  const step = Math.ceil((version * 4 + 4) / (count * 2 - 2)) * 2
  const last = version * 4 + 10
  return [6, ...Array.from({ length: count - 1 }, (_, at) => last - step * (count - 2 - at))]
}

function rawBytes(version: number): number {
  const side = version * 4 + 17
  const count = alignments(version).length
  // Without the corners, the timing lines, format and version, and the small squares that do not meet a corner.
  let free = side * side - 3 * 64 - 2 * (side - 16) - 31
  if (count) free -= (count * count - 3) * 25 - (count - 2) * 2 * 5
  if (version >= 7) free -= 36
  return Math.floor(free / 8)
}

const dataBytes = (version: number): number => rawBytes(version) - checkBytes(version) * blocksOf(version)

function padded(bytes: Uint8Array, version: number): Uint8Array {
  const bits: number[] = []
  const put = (value: number, count: number): void => {
    for (let at = count - 1; at >= 0; at -= 1) bits.push((value >> at) & 1)
  }
  put(0b0100, 4)
  put(bytes.length, lengthBits(version))
  for (const each of bytes) put(each, 8)
  const capacity = dataBytes(version)
  put(0, Math.min(4, capacity * 8 - bits.length))
  put(0, -bits.length & 7)
  const words = new Uint8Array(capacity)
  bits.forEach((bit, at) => (words[at >> 3] = byteAt(words, at >> 3) | (bit << (7 - (at & 7)))))
  for (let at = bits.length / 8, turn = 0; at < capacity; at += 1, turn += 1) words[at] = turn % 2 ? 0x11 : 0xec
  return words
}

/** The remainder that lets a reader repair a block (Reed and Solomon). */
function checks(block: Uint8Array, count: number): Uint8Array {
  const divisor = new Uint8Array(count)
  divisor[count - 1] = 1
  for (let at = 0; at < count; at += 1)
    for (let term = 0; term < count; term += 1) divisor[term] = product(byteAt(divisor, term), byteAt(EXP, at)) ^ (term + 1 < count ? byteAt(divisor, term + 1) : 0)
  const rest = new Uint8Array(count)
  for (const each of block) {
    const factor = each ^ byteAt(rest, 0)
    rest.copyWithin(0, 1)
    rest[count - 1] = 0
    for (let term = 0; term < count; term += 1) rest[term] = byteAt(rest, term) ^ product(byteAt(divisor, term), factor)
  }
  return rest
}

/** Blocks with their checks, a byte of each in turn. */
function interleaved(data: Uint8Array, version: number): number[] {
  const count = blocksOf(version)
  const short = Math.floor(data.length / count)
  const shortOnes = count - (data.length % count)
  const blocks: Uint8Array[] = []
  for (let at = 0, from = 0; at < count; at += 1) {
    const size = short + (at < shortOnes ? 0 : 1)
    blocks.push(data.subarray(from, from + size))
    from += size
  }
  const rests = blocks.map((block) => checks(block, checkBytes(version)))
  const words: number[] = []
  for (let at = 0; at <= short; at += 1) for (const block of blocks) if (at < block.length) words.push(byteAt(block, at))
  for (let at = 0; at < checkBytes(version); at += 1) for (const rest of rests) words.push(byteAt(rest, at))
  return words
}

function drawn(version: number, words: number[], mask: number): Modules {
  const side = version * 4 + 17
  const dark: Modules = Array.from({ length: side }, () => Array<boolean>(side).fill(false))
  const fixed: Modules = Array.from({ length: side }, () => Array<boolean>(side).fill(false))
  const set = (row: number, column: number, on: boolean): void => {
    const [line, taken] = [dark[row], fixed[row]]
    if (!line || !taken || column < 0 || column >= side) return
    line[column] = on
    taken[column] = true
  }
  for (let at = 0; at < side; at += 1) {
    set(6, at, at % 2 === 0)
    set(at, 6, at % 2 === 0)
  }
  for (const [row, column] of [[3, 3], [3, side - 4], [side - 4, 3]] as const)
    for (let y = -4; y <= 4; y += 1) for (let x = -4; x <= 4; x += 1) set(row + y, column + x, ![2, 4].includes(Math.max(Math.abs(x), Math.abs(y))))
  const centres = alignments(version)
  const last = centres[centres.length - 1] ?? 0
  for (const row of centres)
    for (const column of centres) {
      const corner = (row === 6 && (column === 6 || column === last)) || (row === last && column === 6)
      if (!corner) for (let y = -2; y <= 2; y += 1) for (let x = -2; x <= 2; x += 1) set(row + y, column + x, Math.max(Math.abs(x), Math.abs(y)) !== 1)
    }
  if (version >= 7) {
    const bits = (version << 12) | remainder(version, 12, 0x1f25)
    for (let at = 0; at < 18; at += 1) {
      const [far, near] = [side - 11 + (at % 3), Math.floor(at / 3)]
      set(near, far, ((bits >> at) & 1) === 1)
      set(far, near, ((bits >> at) & 1) === 1)
    }
  }
  const format = ((FORMAT_M << 3) | mask)
  const bits = ((format << 10) | remainder(format, 10, 0x537)) ^ 0x5412
  for (let at = 0; at < 15; at += 1) {
    const on = ((bits >> at) & 1) === 1
    // Beside the upper left corner, then split over the other two.
    if (at < 8) set(at < 6 ? at : at + 1, 8, on)
    else set(8, at === 8 ? 7 : 14 - at, on)
    if (at < 8) set(8, side - 1 - at, on)
    else set(side - 15 + at, 8, on)
  }
  set(side - 8, 8, true)
  place(words, dark, fixed, MASKS[mask] ?? (() => false))
  return dark
}

/** Up and down in columns of two from the right; the column of the timing line has no part in it. */
function place(words: number[], dark: Modules, fixed: Modules, masked: (row: number, column: number) => boolean): void {
  const side = dark.length
  let at = 0
  for (let right = side - 1, up = true; right > 0; right -= 2, up = !up) {
    if (right === 6) right = 5
    for (let step = 0; step < side; step += 1) {
      const row = up ? side - 1 - step : step
      for (const column of [right, right - 1]) {
        const [line, taken] = [dark[row], fixed[row]]
        if (!line || !taken || taken[column]) continue
        const bit = ((words[at >> 3] ?? 0) >> (7 - (at & 7))) & 1
        line[column] = (bit === 1) !== masked(row, column)
        at += 1
      }
    }
  }
}

function remainder(value: number, count: number, divisor: number): number {
  let rest = value
  for (let at = 0; at < count; at += 1) rest = (rest << 1) ^ ((rest >> (count - 1)) * divisor)
  return rest
}

/** How hard a code is to read: long runs, squares, what looks like a corner, too much of one colour. */
function penalty(modules: Modules): number {
  const side = modules.length
  const columns = modules.map((_, x) => modules.map((row) => row[x] === true))
  let score = 0
  for (const line of [...modules, ...columns]) {
    const text = line.map((each) => (each ? '1' : '0')).join('')
    for (const run of text.match(/0{5,}|1{5,}/g) ?? []) score += run.length - 2
    score += 40 * ((text.match(/(?=00001011101)/g) ?? []).length + (text.match(/(?=10111010000)/g) ?? []).length)
  }
  let count = 0
  for (let y = 0; y < side; y += 1)
    for (let x = 0; x < side; x += 1) {
      const [here, right, below, across] = [modules[y]?.[x], modules[y]?.[x + 1], modules[y + 1]?.[x], modules[y + 1]?.[x + 1]]
      if (here) count += 1
      if (across !== undefined && here === right && here === below && here === across) score += 3
    }
  return score + 10 * Math.floor(Math.abs((count * 100) / (side * side) - 50) / 5)
}
