/** The rows of the transcript: segments, gaps and the items of the agenda, each at its time. */
import type { AgendaItem } from '@/api/messages'
import type { Gap, Segment } from '@/api/transcript'
import { gapKey } from '@/stores/transcript-gaps'

export type TranscriptRow =
  | { kind: 'item'; key: string; atMs: number; item: AgendaItem; number: number }
  | { kind: 'segment'; key: string; atMs: number; segment: Segment }
  | { kind: 'gap'; key: string; atMs: number; gap: Gap }

const ORDER = { item: 0, segment: 1, gap: 2 }

export function rowsOf(segments: readonly Segment[], gaps: readonly Gap[], agenda: readonly AgendaItem[]): TranscriptRow[] {
  const rows: TranscriptRow[] = segments.map((segment) => ({ kind: 'segment', key: segment.id, atMs: segment.start_ms, segment }))
  for (const gap of gaps) rows.push({ kind: 'gap', key: `gap ${gapKey(gap)}`, atMs: gap.from_ms, gap })
  let number = 0
  for (const item of agenda) {
    const promoted = item.kind === 'promotion'
    if (!promoted) number += 1
    // What was put to the session stands at its segments, not over them.
    if (item.started_at_ms !== null && !promoted) rows.push({ kind: 'item', key: `item ${item.id}`, atMs: item.started_at_ms, item, number })
  }
  return rows.sort((one, two) => one.atMs - two.atMs || ORDER[one.kind] - ORDER[two.kind] || (one.key < two.key ? -1 : 1))
}

const DIGITS = '零一二三四五六七八九'

/** 1 to 99 as people number items: 四, 十二. */
export function chineseNumber(n: number): string {
  const tens = Math.floor(n / 10)
  const ones = n % 10
  if (n < 10) return DIGITS[n] ?? ''
  return `${tens > 1 ? DIGITS[tens] : ''}十${ones ? DIGITS[ones] : ''}`
}

const LINE_PX = 31
const PER_LINE = 34

/** What a row will need, before it was drawn. */
export function heightGuess(row: TranscriptRow, perLine = PER_LINE): number {
  if (row.kind === 'item') return 41
  if (row.kind === 'gap') return 76
  return Math.max(76, 26 + Math.ceil(row.segment.text.length / perLine) * LINE_PX)
}
