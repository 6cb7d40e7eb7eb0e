/** What counts of packets say of a line over a longer time, and by how much two clocks differ. Pure. */
import { echoOf, type Counts } from '../echo-test'

export interface LineFigures {
  up_loss: number | null
  down_loss: number | null
  rtt_ms: number | null
}

/** Several connections, one after the other, as one. */
export function lineOf(rounds: readonly Counts[]): LineFigures {
  const sum = (of: (each: Counts) => number): number => rounds.reduce((total, each) => total + of(each), 0)
  const trips = rounds.flatMap((each) => (each.rttMs === null ? [] : [each.rttMs]))
  const rttMs = trips.length ? trips.reduce((total, each) => total + each, 0) / trips.length : null
  const echo = echoOf({ sent: sum((each) => each.sent), received: sum((each) => each.received), lost: sum((each) => each.lost), rttMs })
  return { up_loss: echo.upLoss, down_loss: echo.downLoss, rtt_ms: rttMs }
}

/** The share of what was sent between two looks that did not come back; null when nothing was. */
export function lossBetween(before: Counts, after: Counts): number | null {
  const sent = after.sent - before.sent
  if (sent <= 0) return null
  return Math.min(1, Math.max(0, 1 - (after.received - before.received) / sent))
}

export interface Tick {
  /** of this device, ms */
  askedAt: number
  answeredAt: number
  /** of the server, UTC ms */
  serverMs: number
}

/** By how much this device is ahead of the server, by the quickest answer; null without any. */
export function clockOf(ticks: readonly Tick[]): { offset_ms: number; uncertainty_ms: number } | null {
  const trip = (each: Tick): number => each.answeredAt - each.askedAt
  const best = [...ticks].sort((one, other) => trip(one) - trip(other))[0]
  if (!best) return null
  return {
    offset_ms: Math.round((best.askedAt + best.answeredAt) / 2 - best.serverMs),
    uncertainty_ms: Math.ceil(Math.max(0, trip(best)) / 2),
  }
}
