/** Which characters of a text are those of another one: the longest common sequence, for marks of change and for the times of words. */

/** cells of the table; longer texts are compared place by place */
const MOST = 4_000_000

/** For each character of `text` the index in `from` of the one that it is, or -1. Runs in O(n m) of what differs. */
export function aligned(text: string, from: string): Int32Array {
  const found = new Int32Array(text.length).fill(-1)
  let head = 0
  while (head < text.length && head < from.length && text[head] === from[head]) {
    found[head] = head
    head += 1
  }
  let tail = 0
  while (tail < text.length - head && tail < from.length - head && text[text.length - 1 - tail] === from[from.length - 1 - tail]) {
    tail += 1
    found[text.length - tail] = from.length - tail
  }
  const rows = text.length - head - tail
  const columns = from.length - head - tail
  if (rows === 0 || columns === 0) return found
  if (rows * columns > MOST) {
    for (let at = 0; at < Math.min(rows, columns); at += 1) if (text[head + at] === from[head + at]) found[head + at] = head + at
    return found
  }
  const width = columns + 1
  const longest = new Uint16Array((rows + 1) * width)
  for (let row = rows - 1; row >= 0; row -= 1) {
    for (let column = columns - 1; column >= 0; column -= 1) {
      longest[row * width + column] =
        text[head + row] === from[head + column]
          ? (longest[(row + 1) * width + column + 1] ?? 0) + 1
          : Math.max(longest[(row + 1) * width + column] ?? 0, longest[row * width + column + 1] ?? 0)
    }
  }
  let row = 0
  let column = 0
  while (row < rows && column < columns) {
    if (text[head + row] === from[head + column]) {
      found[head + row] = head + column
      row += 1
      column += 1
    } else if ((longest[(row + 1) * width + column] ?? 0) >= (longest[row * width + column + 1] ?? 0)) row += 1
    else column += 1
  }
  return found
}

export type Stretch = [from: number, to: number]

/** Where `text` holds characters that were not said: what somebody wrote. Automatic punctuation and blanks do not count. */
export function written(text: string, raw: string, automatic: readonly number[]): Stretch[] {
  const spoken = raw.replace(/\s+/g, '')
  const found = aligned(text, spoken)
  const free = new Set(automatic)
  const stretches: Stretch[] = []
  for (let at = 0; at < text.length; at += 1) {
    if (found[at] !== -1 || free.has(at) || /\s/.test(text[at] ?? '')) continue
    const last = stretches.at(-1)
    if (last && last[1] === at) last[1] = at + 1
    else stretches.push([at, at + 1])
  }
  return stretches
}
