import { describe, expect, it } from 'vitest'
import { differ, encodingsFor, layersFor, type Sending } from '@/rtc/simulcast'

const large: Sending = { longSide: 1280, needed: null, relief: 0 }
const all = ['q', 'h', 'f']
const sent = (names: readonly string[], sending: Partial<Sending>): (string | undefined)[] =>
  encodingsFor(names, { ...large, ...sending })
    .filter((each) => each.active)
    .map((each) => each.rid)

describe('the layers of a camera', () => {
  it('are three on a laptop, two on a telephone or of a small picture, one of a tiny one', () => {
    expect(layersFor(1280, false)).toEqual(['q', 'h', 'f'])
    expect(layersFor(1280, true)).toEqual(['h', 'f'])
    expect(layersFor(640, false)).toEqual(['h', 'f'])
    expect(layersFor(320, false)).toEqual([])
  })

  it('rise in size and rate, the last being the whole picture', () => {
    expect(encodingsFor(all, large).map((each) => [each.rid, each.scaleResolutionDownBy, each.maxBitrate])).toEqual([
      ['q', 4, 150_000],
      ['h', 2, 500_000],
      ['f', 1, 1_500_000],
    ])
    expect(encodingsFor(['h', 'f'], { ...large, longSide: 640 }).map((each) => [each.scaleResolutionDownBy, each.maxBitrate])).toEqual([
      [2, 200_000],
      [1, 800_000],
    ])
  })

  it('move down when the next camera is smaller, so that its whole picture is sent', () => {
    const small = encodingsFor(all, { ...large, longSide: 640 })
    expect(small.map((each) => each.active)).toEqual([true, true, false])
    expect(small.map((each) => each.scaleResolutionDownBy)).toEqual([2, 1, 1])
    expect(encodingsFor(all, { ...large, longSide: 320 }).map((each) => [each.active, each.scaleResolutionDownBy])).toEqual([
      [true, 1],
      [false, 1],
      [false, 1],
    ])
  })

  it('are sent as far as somebody looks at them', () => {
    expect(sent(all, { needed: null })).toEqual(['q', 'h', 'f'])
    expect(sent(all, { needed: ['h'] })).toEqual(['h'])
    expect(sent(all, { needed: [] })).toEqual([])
    expect(sent(all, { needed: ['new'] })).toEqual(['q', 'h', 'f'])
    expect(sent(all, { needed: ['f'], longSide: 640 })).toEqual(['h'])
  })

  it('give way from the top on a device that cannot keep up, and whoever looked at that gets the one below', () => {
    expect(sent(all, { relief: 1 })).toEqual(['q', 'h'])
    expect(sent(all, { relief: 1, needed: ['f'] })).toEqual(['h'])
    expect(encodingsFor(all, { ...large, relief: 1 })[1]?.maxFramerate).toBeUndefined()
    expect(encodingsFor(all, { ...large, relief: 2 })[1]?.maxFramerate).toBeLessThan(15)
    expect(encodingsFor([], { ...large, relief: 1 })[0]).toMatchObject({ active: true, scaleResolutionDownBy: 1, maxFramerate: 12 })
  })

  it('with one encoding has no name, and stops only when nobody looks', () => {
    expect(encodingsFor([], large)).toEqual([{ active: true, scaleResolutionDownBy: 1, maxBitrate: 1_500_000, priority: 'low' }])
    expect(encodingsFor([], { ...large, needed: [''] })[0]?.active).toBe(true)
    expect(encodingsFor([], { ...large, needed: [] })[0]?.active).toBe(false)
  })

  it('are told to the browser when something changes, not every time', () => {
    const now = encodingsFor(all, large)
    expect(differ(now, encodingsFor(all, large))).toBe(false)
    expect(differ(now, encodingsFor(all, { ...large, needed: ['q'] }))).toBe(true)
    expect(differ(now, encodingsFor(all, { ...large, relief: 2 }))).toBe(true)
  })
})
