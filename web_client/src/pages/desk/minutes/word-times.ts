/** When each piece of a text was said: the words of the engine laid under the text as it reads now. */
import type { SpokenWord } from '@/api/transcript'
import { aligned } from './align'

/** Characters from `from` to before `to`, and the stretch of program time in which they were said. */
export interface Timed {
  from: number
  to: number
  startMs: number
  endMs: number
  confidence: number
}

/** In order, without a hole: what nobody said belongs to the word before it. Empty where there are no words. */
export function wordTimes(text: string, words: readonly SpokenWord[]): Timed[] {
  if (!text || words.length === 0) return []
  let spoken = ''
  const owner: number[] = []
  words.forEach(([said], at) => {
    for (const sign of said.replace(/\s+/g, '').split('')) {
      spoken += sign
      owner.push(at)
    }
  })
  const places = aligned(text, spoken)
  const timed: Timed[] = []
  let word = owner[places.find((place) => place >= 0) ?? 0] ?? 0
  for (let at = 0; at < text.length; at += 1) {
    const place = places[at] ?? -1
    if (place >= 0) word = owner[place] ?? word
    const last = timed.at(-1)
    const said = words[word]
    if (!said) continue
    if (last && last.startMs === said[1] && last.endMs === said[2]) last.to = at + 1
    else timed.push({ from: at, to: at + 1, startMs: said[1], endMs: said[2], confidence: said[3] })
  }
  return timed
}

/** The one at a character; behind the last one the last. */
export function timedAt(timed: readonly Timed[], index: number): Timed | null {
  return timed.find((each) => index < each.to) ?? timed.at(-1) ?? null
}

/** The one that is said at a time: the last that has begun. */
export function timedWhen(timed: readonly Timed[], programMs: number): Timed | null {
  let found: Timed | null = null
  for (const each of timed) {
    if (each.startMs > programMs) break
    found = each
  }
  return found && programMs < found.endMs + 400 ? found : null
}
