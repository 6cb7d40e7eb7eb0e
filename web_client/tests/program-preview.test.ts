import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ProgramPreview } from '@/rtc/program-preview'
import { FakePeer, settle } from './fakes'

/** A peer connection that counts pictures. */
class PicturePeer extends FakePeer {
  decoded = 0
  getStats(): Promise<Map<string, object>> {
    return Promise.resolve(new Map([['in', { type: 'inbound-rtp', framesDecoded: this.decoded }]]))
  }
  bring(): void {
    this.dispatchEvent(Object.assign(new Event('track'), { track: { kind: 'video' } }))
  }
}

let peers: PicturePeer[]
let offers: string[]
let ended: string[]
let refused: boolean
let answers: ((session: { answer: string; address: string }) => void)[] | null
let preview: ProgramPreview
let shown: (MediaStream | null)[]

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('MediaStream', vi.fn())
  ;[peers, offers, ended, refused, answers, shown] = [[], [], [], false, null, []]
  preview = new ProgramPreview({
    createPeer: () => {
      const peer = new PicturePeer()
      peer.addTransceiver = (() => undefined) as never
      peers.push(peer)
      return peer as unknown as RTCPeerConnection
    },
    play: (offer) => {
      offers.push(offer)
      if (refused) return Promise.reject(new Error('not yet'))
      if (answers) return new Promise((done) => answers?.push(done))
      return Promise.resolve({ answer: 'answer', address: `/whep/c1/sessions/${offers.length}` })
    },
    end: (address) => ended.push(address),
  })
  preview.on('picture', (picture) => shown.push(picture))
})
afterEach(() => {
  preview.stop()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

async function running(): Promise<PicturePeer> {
  preview.start()
  await settle()
  const peer = peers[0]
  if (!peer) throw new Error('no connection')
  peer.bring()
  return peer
}

describe('the preview of the program', () => {
  it('shows what comes, and gives everything back when it is stopped', async () => {
    const peer = await running()
    expect(peer.remote).toEqual(['answer'])
    expect(shown).toHaveLength(1)
    expect(shown[0]).not.toBeNull()
    preview.stop()
    expect(peer.closed).toBe(true)
    expect(ended).toEqual(['/whep/c1/sessions/1'])
    expect(shown.at(-1)).toBeNull()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(peers).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('tries again later and later while it is refused', async () => {
    refused = true
    preview.start()
    await settle()
    for (const wait of [1000, 2000, 4000, 8000, 8000]) {
      const before = offers.length
      await vi.advanceTimersByTimeAsync(wait - 1)
      expect(offers).toHaveLength(before)
      await vi.advanceTimersByTimeAsync(1)
      expect(offers).toHaveLength(before + 1)
    }
    expect(peers.slice(0, -1).every((peer) => peer.closed)).toBe(true)
  })

  it('is opened anew when the connection fails or stands still', async () => {
    const first = await running()
    first.become('failed')
    expect(first.closed).toBe(true)
    await vi.advanceTimersByTimeAsync(1000)
    const second = peers[1]
    expect(second).toBeDefined()
    if (!second) return
    for (let look = 0; look < 5; look += 1) {
      second.decoded += 75
      await vi.advanceTimersByTimeAsync(3000)
    }
    expect(second.closed).toBe(false)
    await vi.advanceTimersByTimeAsync(9000)
    expect(second.closed).toBe(true)
    await vi.advanceTimersByTimeAsync(1000)
    expect(peers).toHaveLength(3)
    expect(ended).toEqual(['/whep/c1/sessions/1', '/whep/c1/sessions/2'])
  })

  it('gives a session back that was answered after the stop', async () => {
    answers = []
    preview.start()
    await settle()
    preview.stop()
    answers[0]?.({ answer: 'answer', address: '/whep/c1/sessions/late' })
    await settle()
    expect(ended).toEqual(['/whep/c1/sessions/late'])
    expect(shown.filter((each) => each !== null)).toEqual([])
  })
})
