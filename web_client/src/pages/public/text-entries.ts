/** The entries of 图文直播 as one list. Pure. */
import type { PublicTextEntry } from '@/api/public'

const WORTH_SAYING_MS = 15_000

/** Two parts of the list as one, newest first, each entry once. */
export function joined(newer: readonly PublicTextEntry[], older: readonly PublicTextEntry[]): PublicTextEntry[] {
  const known = new Map<string, PublicTextEntry>()
  for (const each of [...newer, ...older]) {
    // What was said may be corrected meanwhile: the newer word counts.
    const own = { item: each.text, speaker: each.text, promotion: each.text, still: '', caption: each.line }[each.kind]
    const key = `${each.kind}${each.at_ms}${own}`
    if (!known.has(key)) known.set(key, each)
  }
  return [...known.values()].sort((a, b) => b.at_ms - a.at_ms)
}

/** How long the network was away, in seconds; null when it was too short to speak of. */
export function gapSeconds(sinceMs: number, nowMs: number): number | null {
  return nowMs - sinceMs < WORTH_SAYING_MS ? null : Math.round((nowMs - sinceMs) / 1000)
}
