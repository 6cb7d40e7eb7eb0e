/** Which character of a segment is under the pointer: its pieces say where they begin. */

interface CaretDocument {
  caretPositionFromPoint?: (x: number, y: number) => { offsetNode: Node; offset: number } | null
  caretRangeFromPoint?: (x: number, y: number) => Range | null
}

/** null where no character is there, or the browser does not tell. */
export function characterAt(x: number, y: number): number | null {
  const page = document as unknown as CaretDocument
  const position = page.caretPositionFromPoint?.(x, y)
  const range = position ? null : page.caretRangeFromPoint?.(x, y)
  const node = position?.offsetNode ?? range?.startContainer
  const offset = position?.offset ?? range?.startOffset ?? 0
  const from = node?.parentElement?.closest<HTMLElement>('[data-from]')?.dataset.from
  return from === undefined ? null : Number(from) + offset
}
