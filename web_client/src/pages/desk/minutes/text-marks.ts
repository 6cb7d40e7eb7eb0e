/** A text cut where its marks begin and end, so that each piece is drawn once with all that holds of it. */

export interface Mark {
  from: number
  to: number
  /** `written`: changed by somebody; `unsure`: the engine was not sure; `heard`: sounding now; `found`: of a search */
  kind: 'written' | 'unsure' | 'heard' | 'found' | 'automatic'
}

export interface Piece {
  from: number
  text: string
  kinds: Mark['kind'][]
  /** names of others whose caret stands before this piece */
  carets: string[]
}

/** Pieces in order; with carets at the end there is an empty last one. */
export function pieces(text: string, marks: readonly Mark[], carets: readonly { at: number; name: string }[] = []): Piece[] {
  const cuts = new Set([0, text.length])
  for (const { from, to } of marks) {
    cuts.add(Math.min(text.length, Math.max(0, from)))
    cuts.add(Math.min(text.length, Math.max(0, to)))
  }
  const places = carets.map((each) => ({ ...each, at: Math.min(text.length, Math.max(0, each.at)) }))
  for (const { at } of places) cuts.add(at)
  const edges = [...cuts].sort((one, two) => one - two)
  const found: Piece[] = []
  edges.forEach((from, at) => {
    const to = edges[at + 1] ?? text.length
    const named = places.filter((each) => each.at === from).map((each) => each.name)
    if (to === from && named.length === 0) return
    const kinds = [...new Set(marks.filter((each) => each.from <= from && to <= each.to && from < to).map((each) => each.kind))]
    found.push({ from, text: text.slice(from, to), kinds, carets: named })
  })
  return found
}
