/** Whether one may write now, and how often the list is asked for. Pure. */
import type { PublicConsultation } from '@/api/public'
import type { Phase } from '../phase'

export type Commenting = 'open' | 'paused' | 'closed' | 'off'

/** As the server says, else as it follows from the rest of what it says. */
export function commentingOf(page: PublicConsultation, phase: Phase, nowMs: number): Commenting {
  if (page.comments) return page.comments.state
  if (phase === 'cut') return 'paused'
  if (phase === 'off' || page.status === 'archived') return 'closed'
  return page.closing_at_ms !== null && nowMs >= page.closing_at_ms ? 'closed' : 'open'
}

const SECOND = 1000
/** A list that did not grow is looked at now and then all the same: a comment may have been answered or hidden. */
const REST_LIVE_MS = 20 * SECOND
const REST_MS = 60 * SECOND

/** How long until the list is looked at again. */
export function listTickMs(phase: Phase, failures: number, chance: number): number {
  if (failures > 0) return Math.min(30 * SECOND, 4 * SECOND * 2 ** Math.min(failures, 3)) * (0.75 + chance / 2)
  return (isOnAir(phase) ? 4 : 8) * SECOND * (0.75 + chance / 2)
}

/** Whether it has to be asked for then: the page says how many there are, which costs nothing. */
export function listIsDue(page: PublicConsultation, phase: Phase, askedTotal: number | null, sinceMs: number): boolean {
  if (!page.comments || askedTotal === null) return true
  return page.comments.total !== askedTotal || sinceMs >= (isOnAir(phase) ? REST_LIVE_MS : REST_MS)
}

const isOnAir = (phase: Phase): boolean => phase === 'live' || phase === 'cut' || phase === 'preparing'

/** Signs, as the server counts them: an emoji is one, not two. */
export const lengthOf = (text: string): number => Array.from(text.trim()).length
