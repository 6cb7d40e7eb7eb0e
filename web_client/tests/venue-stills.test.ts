import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ANEW_MS, PAUSE_MS, VenueStills } from '@/rtc/venue-stills'
import { FakePeer } from './fakes'

/** A peer that brings a picture as soon as it is answered, unless its target has none. */
class PicturePeer extends FakePeer {
  closedAt = -1
  bring(): void {
    this.dispatchEvent(Object.assign(new Event('track'), { track: { kind: 'video' } }))
  }
  override close(): void {
    this.closedAt = performance.now()
  }
}

let peers: PicturePeer[]
let played: string[]
let ended: string[]
let without: Set<string>
let stills: VenueStills
let told: string[]

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('MediaStream', vi.fn())
  ;[peers, played, ended, without, told] = [[], [], [], new Set(), []]
  stills = new VenueStills({
    createPeer: () => {
      const peer = new PicturePeer()
      peer.addTransceiver = (() => undefined) as never
      peers.push(peer)
      return peer as unknown as RTCPeerConnection
    },
    play: (target) => {
      played.push(target)
      if (target === 'refused') return Promise.reject(new Error('gone'))
      const peer = peers.at(-1)
      if (!without.has(target)) queueMicrotask(() => peer?.bring())
      return Promise.resolve({ answer: 'answer', address: `/whep/${played.length}` })
    },
    end: (address) => ended.push(address),
    grab: () => Promise.resolve({ close: () => undefined } as ImageBitmap),
  })
  stills.on('still', ({ id }) => told.push(id))
  stills.on('none', (id) => told.push(`no ${id}`))
})
afterEach(() => {
  stills.stop()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('stills of venues', () => {
  it('are taken one after the other, each by a connection that is closed before the next', async () => {
    stills.show(['a', 'b'])
    stills.start()
    await vi.advanceTimersByTimeAsync(0)
    expect([told, ended]).toEqual([['a'], ['/whep/1']])
    await vi.advanceTimersByTimeAsync(PAUSE_MS)
    expect([told, ended]).toEqual([['a', 'b'], ['/whep/1', '/whep/2']])
    expect(peers.every((each) => each.closedAt >= 0)).toBe(true)
    await vi.advanceTimersByTimeAsync(PAUSE_MS * 3)
    expect(told).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(ANEW_MS)
    expect(told).toEqual(['a', 'b', 'a', 'b'])
  })

  it('go on when one is refused or brings nothing', async () => {
    without.add('dark')
    stills.show(['refused', 'dark', 'a'])
    stills.start()
    await vi.advanceTimersByTimeAsync(20_000)
    expect(told).toEqual(['no refused', 'no dark', 'a'])
    expect(ended).toEqual(['/whep/2', '/whep/3'])
  })

  it('follow who is wanted, and hold nothing once stopped', async () => {
    stills.start()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(played).toEqual([])
    stills.show(['a'])
    await vi.advanceTimersByTimeAsync(0)
    expect(told).toEqual(['a'])
    stills.stop()
    stills.show(['b'])
    await vi.advanceTimersByTimeAsync(60_000)
    expect(played).toEqual(['a'])
    expect(vi.getTimerCount()).toBe(0)
  })
})
