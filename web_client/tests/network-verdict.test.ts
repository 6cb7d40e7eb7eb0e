import { describe, expect, it } from 'vitest'
import { echoOf } from '@/rtc/echo-test'
import { gradesOf, gravest, type Figures } from '@/rtc/network-verdict'

const GOOD: Figures = { up: { bps: 4_000_000, atLeast: true }, down: { bps: 4_000_000, atLeast: true }, rttMs: 38, upLoss: 0, downLoss: 0.01 }

describe('what the figures mean', () => {
  it('nothing is said where all is fine', () => {
    expect(gradesOf(GOOD)).toEqual({ up: 'fine', down: 'fine', delay: 'fine', loss: 'fine' })
    expect(gravest(gradesOf(GOOD))).toBeNull()
  })

  it.each([
    [{ up: { bps: 800_000, atLeast: false } }, 'fair', 'up'],
    [{ down: { bps: 400_000, atLeast: false } }, 'poor', 'down'],
    [{ rttMs: 650 }, 'poor', 'delay'],
    [{ upLoss: 0.034 }, 'fair', 'loss'],
    // The gravest first, and of equals what hurts most.
    [{ upLoss: 0.05, rttMs: 900 }, 'poor', 'delay'],
    [{ downLoss: 0.2, up: { bps: 100_000, atLeast: false } }, 'poor', 'loss'],
  ] as const)('%o is %s, because of %s', (change, grade, figure) => {
    expect(gravest(gradesOf({ ...GOOD, ...change }))).toEqual({ grade, figure })
  })

  it('blames nothing that was not measured', () => {
    const grades = gradesOf({ up: null, down: null, rttMs: null, upLoss: null, downLoss: null })
    expect(grades).toEqual({ up: null, down: null, delay: null, loss: null })
    expect(gravest(grades)).toBeNull()
  })
})

describe('an echo', () => {
  it('tells what was lost on the way up from what was lost on the way down', () => {
    // 200 sent, 180 numbered by the server, of which 9 did not come back
    expect(echoOf({ sent: 200, received: 171, lost: 9, rttMs: 40 })).toEqual({ rttMs: 40, upLoss: 0.1, downLoss: 0.05 })
  })

  it('has no losses where more came than was counted as sent', () => {
    expect(echoOf({ sent: 100, received: 101, lost: 0, rttMs: 40 })).toEqual({ rttMs: 40, upLoss: 0, downLoss: 0 })
  })

  it('says nothing of losses after a handful of packets', () => {
    expect(echoOf({ sent: 12, received: 3, lost: 0, rttMs: 40 })).toEqual({ rttMs: 40, upLoss: null, downLoss: null })
  })
})
