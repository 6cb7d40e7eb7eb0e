/** Where in a recorded program a time of the day stands: its pieces know when they were made, between them the player goes straight on. */

export interface DatedPiece {
  /** seconds of the player */
  start: number
  duration: number
  /** UTC of its beginning, ms */
  programDateTime?: number | null
}

/** Seconds of the player; in a stretch that was not made, the beginning of the next; null where nothing is dated. */
export function placeAt(pieces: readonly DatedPiece[], wallMs: number): number | null {
  let before: number | null = null
  for (const { start, duration, programDateTime } of pieces) {
    if (programDateTime === undefined || programDateTime === null) continue
    if (wallMs < programDateTime) return start
    if (wallMs < programDateTime + duration * 1000) return start + (wallMs - programDateTime) / 1000
    before = start + duration
  }
  return before
}
