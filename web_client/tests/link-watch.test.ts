import { beforeEach, describe, expect, it, vi } from 'vitest'
import { LinkWatch } from '@/rtc/link-watch'

let rebuilt = 0
let watch: LinkWatch
beforeEach(() => {
  vi.useFakeTimers()
  rebuilt = 0
  watch = new LinkWatch(
    () => (rebuilt += 1),
    () => undefined,
  )
  watch.update('connected')
})

describe('watching a connection', () => {
  it('leaves ICE two seconds to come back by itself', () => {
    watch.update('disconnected')
    vi.advanceTimersByTime(1900)
    watch.update('connected')
    vi.advanceTimersByTime(10_000)
    expect(rebuilt).toBe(0)
    expect(watch.good).toBe(true)
  })

  it('rebuilds after two seconds, and at once when it failed', () => {
    watch.update('disconnected')
    vi.advanceTimersByTime(2000)
    expect(rebuilt).toBe(1)
    expect(watch.good).toBe(false)
    watch.update('connected')
    expect(watch.good).toBe(true)
    watch.update('failed')
    expect(rebuilt).toBe(2)
  })

  it('tries again when the new one does not connect, with more patience each time', () => {
    watch.update('failed')
    vi.advanceTimersByTime(12_000)
    expect(rebuilt).toBe(2)
    vi.advanceTimersByTime(19_999)
    expect(rebuilt).toBe(2)
    vi.advanceTimersByTime(1)
    expect(rebuilt).toBe(3)
  })

  it('waits while signalling is down', () => {
    watch.pause()
    watch.update('failed')
    vi.advanceTimersByTime(60_000)
    expect(rebuilt).toBe(0)
    watch.resume()
    expect(rebuilt).toBe(1)
  })
})
