/** Which face the public page shows, and how often it asks. Pure. */
import type { PublicConsultation, PublicAgendaItem } from '@/api/public'

/** before: title card. preparing: live without a picture yet. cut: interrupted on purpose. closing: just ended, the replay is
    being made. over: ended without a replay. */
export type Phase = 'before' | 'off' | 'preparing' | 'live' | 'cut' | 'closing' | 'replay' | 'over'

const SECOND = 1000
const LIVE_MS = SECOND
const SOON_MS = 10 * 60 * SECOND
const CLOSING_MS = 5 * 60 * SECOND

export function phaseOf(page: PublicConsultation, nowMs: number): Phase {
  if (page.status === 'postponed' || page.status === 'cancelled') return 'off'
  if (page.status === 'scheduled') return 'before'
  if (page.status === 'live') return page.cut ? 'cut' : page.live ? 'live' : 'preparing'
  if (page.replay) return 'replay'
  return page.status === 'ended' && nowMs - (page.ended_wall_ms ?? 0) < CLOSING_MS ? 'closing' : 'over'
}

/** How long to wait before asking again. `chance` in [0, 1) spreads the crowd. Text readers and those who wait ask sparingly. */
export function pollMs(phase: Phase | null, text: boolean, untilStartMs: number | null, failures: number, chance: number): number {
  if (failures > 0) return Math.min(10 * SECOND, SECOND * 2 ** Math.min(failures, 4)) * (0.75 + chance / 2)
  if (phase === 'live' || phase === 'cut' || phase === 'preparing') return (text ? 10 * SECOND : LIVE_MS) + chance * SECOND * 0.5
  if (phase === 'before') return (untilStartMs === null || untilStartMs < SOON_MS ? 3 : 15) * SECOND * (0.75 + chance / 2)
  if (phase === 'closing') return 3 * SECOND * (0.75 + chance / 2)
  return 60 * SECOND
}

export interface Countdown {
  days: number
  hours: number
  minutes: number
}

/** What is left in whole minutes, the running one counted; null when the time has come. No seconds: nobody should watch them. */
export function countdown(scheduledAtMs: number, nowMs: number): Countdown | null {
  const left = Math.ceil((scheduledAtMs - nowMs) / 60_000)
  if (left <= 0) return null
  return { days: Math.floor(left / 1440), hours: Math.floor(left / 60) % 24, minutes: left % 60 }
}

export function currentAndNext(page: PublicConsultation): { current: PublicAgendaItem | null; next: PublicAgendaItem | null } {
  const at = page.agenda.findIndex((item) => item.id === page.current_item)
  const next = page.agenda.slice(at + 1).find((item) => item.state === 'pending') ?? null
  return { current: at < 0 ? null : (page.agenda[at] ?? null), next }
}
