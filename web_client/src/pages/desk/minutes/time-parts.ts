/** A text cut at the program times in it, such as 01:09:58, so that each leads to the sound. */

export interface TimePart {
  text: string
  /** null: words */
  atMs: number | null
}

export function timeParts(text: string): TimePart[] {
  const parts: TimePart[] = []
  let last = 0
  for (const match of text.matchAll(/(?<![\d:])(\d{2}):([0-5]\d):([0-5]\d)(?![\d:])/g)) {
    if (match.index > last) parts.push({ text: text.slice(last, match.index), atMs: null })
    const [hours = 0, minutes = 0, seconds = 0] = match.slice(1).map(Number)
    parts.push({ text: match[0], atMs: ((hours * 60 + minutes) * 60 + seconds) * 1000 })
    last = match.index + match[0].length
  }
  if (last < text.length) parts.push({ text: text.slice(last), atMs: null })
  return parts
}
