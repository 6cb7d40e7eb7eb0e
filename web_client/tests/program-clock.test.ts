import { describe, expect, it } from 'vitest'
import { clockText, ProgramClock } from '@/stores/program-clock'

describe('program time', () => {
  it('is none before the start and runs on from what the server said', () => {
    const clock = new ProgramClock()
    expect(clock.at(0)).toBeNull()
    clock.anchor(null, 0)
    expect(clock.at(500)).toBeNull()
    clock.anchor(60_000, 1000)
    expect(clock.at(1000)).toBe(60_000)
    expect(clock.at(3500)).toBe(62_500)
  })

  it.each([800, -800])('moves by %d ms without a step and never backwards', (difference) => {
    const clock = new ProgramClock()
    clock.anchor(0, 0)
    let before = clock.at(1000) ?? 0
    clock.anchor(1000 + difference, 1000)
    for (let now = 1200; now <= 15_000; now += 200) {
      const shown = clock.at(now) ?? 0
      expect(shown - before).toBeGreaterThanOrEqual(179)
      expect(shown - before).toBeLessThanOrEqual(221)
      before = shown
    }
    expect(before).toBeCloseTo(15_000 + difference, 0)
  })

  it('takes over another time at once', () => {
    const clock = new ProgramClock()
    clock.anchor(0, 0)
    clock.anchor(3_600_000, 1000)
    expect(clock.at(1000)).toBe(3_600_000)
  })

  it('is written with as many figures at any time', () => {
    expect([0, 4_366_400, 36_000_000].map(clockText)).toEqual(['00:00:00', '01:12:46', '10:00:00'])
  })
})
