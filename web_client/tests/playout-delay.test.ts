import { describe, expect, it } from 'vitest'
import { PlayoutDelay } from '@/rtc/playout-delay'

describe('how long playing waits', () => {
  it('is the browser’s own business while nothing is lost', () => {
    const delay = new PlayoutDelay()
    expect(delay.take({ received: 200, missed: 0, roundTripMs: 200 })).toBe(0)
  })

  it('covers a repair on both ways where packets get lost', () => {
    const delay = new PlayoutDelay()
    expect(delay.take({ received: 200, missed: 10, roundTripMs: 200 })).toBe(650)
  })

  it('is not misled by a single long round trip', () => {
    const delay = new PlayoutDelay()
    delay.take({ received: 200, missed: 10, roundTripMs: 200 })
    expect(delay.take({ received: 200, missed: 10, roundTripMs: 900 })).toBe(650)
  })

  it('never grows without bound', () => {
    const delay = new PlayoutDelay()
    expect(delay.take({ received: 200, missed: 100, roundTripMs: 9000 })).toBe(1200)
  })

  it('stays for a while when the loss stops, and is then given up', () => {
    const delay = new PlayoutDelay()
    delay.take({ received: 200, missed: 10, roundTripMs: 100 })
    for (let i = 0; i < 9; i += 1) expect(delay.take({ received: 200, missed: 0, roundTripMs: 100 })).toBe(400)
    expect(delay.take({ received: 200, missed: 0, roundTripMs: 100 })).toBe(0)
  })
})
