import { describe, expect, it } from 'vitest'
import { ReceptionLog, type Counters } from '@/rtc/reception-report'

const video = (frames: number, frozenS: number): Counters => ({ kind: 'video', framesDecoded: frames, totalFreezesDuration: frozenS })
const always = (): number => -Infinity

describe('the report of what was played', () => {
  it('says how long pictures stood and how much sound was made up, since the last one', () => {
    const log = new ReceptionLog()
    const tracks = new Map([
      ['v', 'camera'],
      ['a', 'microphone'],
    ])
    const sound = (total: number, concealed: number, silent: number): Counters => ({
      kind: 'audio',
      totalSamplesReceived: total,
      concealedSamples: concealed,
      silentConcealedSamples: silent,
    })
    expect(log.take(0, new Map([['v', video(10, 1)], ['a', sound(0, 0, 0)]]), tracks, always)).toEqual([])
    expect(log.take(5000, new Map([['v', video(110, 1.5)], ['a', sound(240_000, 36_000, 12_000)]]), tracks, always)).toEqual([
      { publication_id: 'camera', freeze_ms: 500, frames_per_second: 20 },
      { publication_id: 'microphone', concealed_ms: 500 },
    ])
  })

  it('does not mix who had a slot before with who has it now', () => {
    const log = new ReceptionLog()
    log.take(0, new Map([['v', video(10, 0)]]), new Map([['v', 'first']]), always)
    expect(log.take(5000, new Map([['v', video(99, 3)]]), new Map([['v', 'second']]), always)).toEqual([])
    expect(log.take(10_000, new Map([['v', video(149, 3)]]), new Map([['v', 'second']]), always)).toEqual([
      { publication_id: 'second', freeze_ms: 0, frames_per_second: 10 },
    ])
  })

  it('counts no standing picture that was not asked for, nor the first moments after', () => {
    const log = new ReceptionLog()
    const tracks = new Map([['v', 'camera']])
    log.take(0, new Map([['v', video(10, 0)]]), tracks, always)
    expect(log.take(5000, new Map([['v', video(20, 4)]]), tracks, () => 3000)).toEqual([])
    expect(log.take(10_000, new Map([['v', video(30, 5)]]), tracks, () => 3000)).toEqual([])
    expect(log.take(15_000, new Map([['v', video(80, 5)]]), tracks, () => 3000)).toHaveLength(1)
  })

  it('stays within the bounds of the protocol, whatever the browser counts', () => {
    const log = new ReceptionLog()
    const tracks = new Map([['v', 'camera']])
    log.take(0, new Map([['v', video(1e6, 1e6)]]), tracks, always)
    expect(log.take(1, new Map([['v', video(2e6, 2e6)]]), tracks, always)).toEqual([
      { publication_id: 'camera', freeze_ms: 60_000, frames_per_second: 240 },
    ])
    expect(log.take(2, new Map([['v', video(0, 0)]]), tracks, always)).toEqual([
      { publication_id: 'camera', freeze_ms: 0, frames_per_second: 0 },
    ])
  })
})
