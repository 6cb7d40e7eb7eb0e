/** An earlier text of a section beside the present one, paragraph by paragraph. */

/** Paragraphs in a row that both have, or one that the other text lacks; `at` is where the first one stands. */
export interface Part {
  at: number
  texts: string[]
  lone: boolean
}

export const paragraphsOf = (text: string): string[] => text.split('\n').filter((each) => each.trim())

export function partsOf(own: readonly string[], other: readonly string[]): Part[] {
  const left = new Map<string, number>()
  for (const each of other) left.set(each, (left.get(each) ?? 0) + 1)
  const parts: Part[] = []
  own.forEach((text, at) => {
    const count = left.get(text) ?? 0
    if (count) left.set(text, count - 1)
    const last = parts.at(-1)
    if (count && last && !last.lone) last.texts.push(text)
    else parts.push({ at, texts: [text], lone: count === 0 })
  })
  return parts
}

/** The present paragraphs with one of the earlier ones again, beside those that it stood beside. */
export function withAgain(earlier: readonly string[], at: number, present: readonly string[]): string[] {
  const text = earlier[at]
  if (text === undefined) return [...present]
  for (let before = at - 1; before >= 0; before -= 1) {
    const place = present.lastIndexOf(earlier[before] ?? '')
    if (place >= 0) return [...present.slice(0, place + 1), text, ...present.slice(place + 1)]
  }
  for (const following of earlier.slice(at + 1)) {
    const place = present.indexOf(following)
    if (place >= 0) return [...present.slice(0, place), text, ...present.slice(place)]
  }
  return [...present, text]
}
