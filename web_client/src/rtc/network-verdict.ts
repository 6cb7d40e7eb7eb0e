/** What the figures of a network test mean for a meeting. A member needs 1 Mbit/s up and 1.5 Mbit/s down (docs/reach.md). */
import type { Echo } from './echo-test'
import type { Speed } from './speed-test'

export type Grade = 'fine' | 'fair' | 'poor'
export type FigureName = 'up' | 'down' | 'delay' | 'loss'

export interface Figures extends Echo {
  up: Speed | null
  down: Speed | null
}

export type Grades = Record<FigureName, Grade | null>

const FINE_UP_BPS = 1_000_000
const FAIR_UP_BPS = 300_000
const FINE_DOWN_BPS = 1_500_000
const FAIR_DOWN_BPS = 500_000
const FINE_MS = 200
const FAIR_MS = 500
const FINE_LOSS = 0.03
const FAIR_LOSS = 0.1

/** What hurts most is named first: broken sound, then pictures, then waiting. */
const ORDER: FigureName[] = ['loss', 'up', 'down', 'delay']

export function gradesOf({ up, down, rttMs, upLoss, downLoss }: Figures): Grades {
  const loss = upLoss === null && downLoss === null ? null : Math.max(upLoss ?? 0, downLoss ?? 0)
  return {
    up: up && grade(-up.bps, -FINE_UP_BPS, -FAIR_UP_BPS),
    down: down && grade(-down.bps, -FINE_DOWN_BPS, -FAIR_DOWN_BPS),
    delay: rttMs === null ? null : grade(rttMs, FINE_MS, FAIR_MS),
    loss: loss === null ? null : grade(loss, FINE_LOSS, FAIR_LOSS),
  }
}

/** The gravest, and of what; null when nothing is wrong. */
export function gravest(grades: Grades): { grade: 'fair' | 'poor'; figure: FigureName } | null {
  for (const wanted of ['poor', 'fair'] as const) {
    const figure = ORDER.find((name) => grades[name] === wanted)
    if (figure) return { grade: wanted, figure }
  }
  return null
}

function grade(value: number, fine: number, fair: number): Grade {
  return value <= fine ? 'fine' : value <= fair ? 'fair' : 'poor'
}
