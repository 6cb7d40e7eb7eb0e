import { describe, expect, it } from 'vitest'
import { barPart, floorTime, timeText } from '@/stores/floor-time'
import { holding } from './fakes'

const MINUTE = 60_000
const running = (startedAt: number, more: Parameters<typeof holding>[1] = {}): ReturnType<typeof holding> =>
  holding('a', { state: 'running', started_at_ms: startedAt, ...more })

describe('the time of the floor', () => {
  it.each([
    ['waits for sound', holding('a'), 20_000, 'waiting', '05:00'],
    ['runs from the first sound', running(10_000), 20_000, 'running', '04:50'],
    ['says the last minute', running(0), 4 * MINUTE + 8000, 'soon', '00:52'],
    ['counts on when it is over', running(0), 5 * MINUTE + 14_900, 'over', '+00:14'],
    ['stands while the line is down', holding('a', { state: 'grace', spoken_ms: 149_000 }), 9 * MINUTE, 'grace', '02:31'],
    ['goes on after a drop', running(60_000, { spoken_ms: 60_000 }), 120_000, 'running', '03:00'],
    ['stands before the start', holding('a', { state: 'running' }), null, 'running', '05:00'],
    ['counts up without a limit', running(0, { duration_ms: null }), 65_000, 'running', '01:05'],
  ] as const)('%s', (_what, holder, program, phase, text) => {
    const time = floorTime(holder, program)
    expect([time.phase, timeText(time)]).toEqual([phase, text])
  })

  it('fills the bar with what is left', () => {
    expect(barPart(floorTime(running(0), 2 * MINUTE), 5 * MINUTE)).toBeCloseTo(0.6)
    expect(barPart(floorTime(running(0), 9 * MINUTE), 5 * MINUTE)).toBe(1)
    expect(barPart(floorTime(running(0, { duration_ms: null }), MINUTE), null)).toBe(0)
  })
})
