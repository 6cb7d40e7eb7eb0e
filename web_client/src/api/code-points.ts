/** The server counts characters, a browser counts UTF-16 units: rare characters are two of them. */

const RARE = /[\ud800-\udbff]/

/** From places in characters to places in UTF-16 units. */
export function unitPlaces(text: string, places: readonly number[]): number[] {
  if (!RARE.test(text)) return [...places]
  const units: number[] = []
  let unit = 0
  for (const sign of text) {
    units.push(unit)
    unit += sign.length
  }
  return places.map((place) => units[place] ?? text.length)
}

/** From a place in UTF-16 units to the place in characters. */
export function pointPlace(text: string, unit: number): number {
  return RARE.test(text) ? Array.from(text.slice(0, unit)).length : unit
}
