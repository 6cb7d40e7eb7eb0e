/**
 * What the caption lines show: one line a speaker, the two newest speakers at most. A partial stands in its place until its
 * final comes; what nobody adds to goes after a while. Pure: `nowMs` is the device's monotonic clock.
 */
import type { CaptionCorrected, CaptionFinal, CaptionPartial } from '@/api/captions'

interface SaidFinal {
  id: string
  text: string
}

export interface CaptionLine {
  participantId: string
  name: string
  finals: readonly SaidFinal[]
  partial: string
  partialFromMs: number
  /** when something was last added */
  touchedMs: number
}

export type CaptionLines = readonly CaptionLine[]

export const SHOWN = 2
/** How long a line stays after its last word. */
export const STAYS_MS = 15_000
/** A partial whose end was lost on the way. */
export const PARTIAL_STAYS_MS = 10_000
/** What rolled out of sight is let go. */
const FINALS_KEPT = 3

export function withPartial(lines: CaptionLines, { participant_id: id, speaker, text, from_ms: fromMs }: CaptionPartial, nowMs: number): CaptionLines {
  const line = lineOf(lines, id, speaker.name)
  if (!text && !line?.partial) return lines
  return put(lines, { ...(line ?? empty(id, speaker.name)), partial: text, partialFromMs: fromMs, touchedMs: nowMs })
}

/** A final that is known is put right; a new one ends the partial that it grew from, not the one of the next sentence. */
export function withFinal(lines: CaptionLines, { segment_id: id, participant_id: who, speaker, text, end_ms: endMs }: CaptionFinal, nowMs: number): CaptionLines {
  if (knows(lines, id)) return corrected(lines, { segment_id: id, text })
  const line = lineOf(lines, who, speaker.name) ?? empty(who, speaker.name)
  const ends = line.partialFromMs < endMs
  return put(lines, {
    ...line,
    finals: text ? [...line.finals, { id, text }].slice(-FINALS_KEPT) : line.finals,
    partial: ends ? '' : line.partial,
    touchedMs: Math.max(line.touchedMs, nowMs),
  })
}

/** Nothing else moves; a text that is empty now is taken away. */
export function corrected(lines: CaptionLines, { segment_id: id, text }: CaptionCorrected): CaptionLines {
  if (!knows(lines, id)) return lines
  const mended = (each: SaidFinal): SaidFinal => (each.id === id ? { id, text } : each)
  return kept(lines.map((line) => ({ ...line, finals: line.finals.map(mended).filter((each) => each.text) })))
}

/** What is still to be shown. The same lines when nothing has gone. */
export function fresh(lines: CaptionLines, nowMs: number): CaptionLines {
  const old = (line: CaptionLine): boolean => nowMs - line.touchedMs >= STAYS_MS
  const lost = (line: CaptionLine): boolean => line.partial !== '' && nowMs - line.touchedMs >= PARTIAL_STAYS_MS
  if (!lines.some((line) => old(line) || lost(line))) return lines
  return kept(lines.filter((line) => !old(line)).map((line) => (lost(line) ? { ...line, partial: '' } : line)))
}

export const withoutPartials = (lines: CaptionLines): CaptionLines => (lines.some((line) => line.partial) ? kept(lines.map((line) => ({ ...line, partial: '' }))) : lines)

/** The newest ones, each where it began: a line does not jump when somebody else says a word. */
export function shown(lines: CaptionLines): CaptionLines {
  const newest = new Set([...lines].sort((one, two) => two.touchedMs - one.touchedMs).slice(0, SHOWN))
  return lines.filter((line) => newest.has(line))
}

/** Sentences one after the other: Chinese without a space, others with one. */
export function joinedText(texts: readonly string[]): string {
  return texts.filter(Boolean).reduce((whole, next) => (whole && spaced(whole, next) ? `${whole} ${next}` : whole + next), '')
}

const WIDE = /[\u2e80-\u9fff\uf900-\ufaff\uff00-\uff60\u3000-\u303f“”‘’…—]/
const spaced = (before: string, after: string): boolean => !WIDE.test(before.slice(-1)) && !WIDE.test(after.slice(0, 1))

const knows = (lines: CaptionLines, id: string): boolean => lines.some((line) => line.finals.some((each) => each.id === id))
const kept = (lines: CaptionLines): CaptionLines => lines.filter((line) => line.partial || line.finals.length)
const empty = (participantId: string, name: string): CaptionLine => ({ participantId, name, finals: [], partial: '', partialFromMs: 0, touchedMs: -Infinity })
/** The same microphone may be somebody else's now. */
const lineOf = (lines: CaptionLines, id: string, name: string): CaptionLine | undefined => lines.find((line) => line.participantId === id && line.name === name)

function put(lines: CaptionLines, line: CaptionLine): CaptionLines {
  const others = lines.filter((each) => each.participantId !== line.participantId)
  const at = lines.findIndex((each) => each.participantId === line.participantId && each.name === line.name)
  return kept(at < 0 ? [...others, line] : [...others.slice(0, at), line, ...others.slice(at)])
}
