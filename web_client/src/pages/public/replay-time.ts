/**
 * The replay plays stretches of program time in a row: where the program was not made, the player goes straight on, program time
 * does not. Chapters are on program time, the player on its own.
 */
import type { PublicChapter, Span } from '@/api/public'

/** Program time at a place of the player. */
export function programAt(spans: readonly Span[], mediaMs: number): number {
  let left = Math.max(0, mediaMs)
  for (const [from, to] of spans) {
    if (left < to - from) return from + left
    left -= to - from
  }
  return spans.length ? (spans[spans.length - 1] as Span)[1] : left
}

/** The place of the player at a program time; in a stretch that was not made, the beginning of the next. */
export function mediaAt(spans: readonly Span[], programMs: number): number {
  let before = 0
  for (const [from, to] of spans) {
    if (programMs < from) return before
    if (programMs < to) return before + programMs - from
    before += to - from
  }
  return before
}

export interface Piece {
  title: string
  fromMs: number
  toMs: number
  promoted: boolean
}

/** Pieces of the chapter bar on the player's time, without a hole between them; none when there are no chapters. */
export function pieces(chapters: readonly PublicChapter[], spans: readonly Span[], durationMs: number): Piece[] {
  const named = chapters.filter((each) => each.kind !== 'speech')
  const found: Piece[] = []
  for (const each of named) {
    const fromMs = mediaAt(spans, each.from_ms)
    if (fromMs >= durationMs) continue
    const last = found[found.length - 1]
    if (last) last.toMs = fromMs
    found.push({ title: each.title, fromMs, toMs: durationMs, promoted: each.kind === 'promotion' })
  }
  if (found[0] && found[0].fromMs > 0) found.unshift({ title: '', fromMs: 0, toMs: found[0].fromMs, promoted: false })
  return found.filter((each) => each.toMs > each.fromMs)
}

export interface ChapterGroup {
  chapter: PublicChapter
  within: PublicChapter[]
}

/** Items in their order, each with the speeches and promoted comments up to the next one; what comes before all stands for itself. */
export function grouped(chapters: readonly PublicChapter[]): ChapterGroup[] {
  const groups: ChapterGroup[] = []
  for (const chapter of chapters) {
    const last = groups[groups.length - 1]
    if (chapter.kind === 'item' || last?.chapter.kind !== 'item') groups.push({ chapter, within: [] })
    else last.within.push(chapter)
  }
  return groups
}
