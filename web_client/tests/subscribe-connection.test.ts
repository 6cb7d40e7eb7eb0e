import { beforeEach, describe, expect, it } from 'vitest'
import type { MediaOffer } from '@/api/messages'
import { SubscribeConnection, transportOf, type RemoteTrack } from '@/rtc/subscribe-connection'
import { createPeer, FakePeer } from './fakes'

const sdp = (session: string, lines: string[]): string =>
  ['v=0', `o=- ${session} 1 IN IP4 127.0.0.1`, `a=ice-ufrag:${session}`, ...lines.map((kind) => `m=${kind} 9 X 0`)].join('\r\n')

function offer(session: string, generation: number, publications: string[]): MediaOffer {
  return {
    sdp: sdp(session, publications.map(() => 'video')),
    generation,
    tracks: publications.map((id, at) => ({
      mid: String(at),
      participant_id: `of-${id}`,
      publication_id: id,
      source: 'camera',
    })),
  }
}

beforeEach(() => (FakePeer.all.length = 0))

describe('subscribing', () => {
  it('tells transports apart by session id and ICE name', () => {
    expect(transportOf(sdp('1', []))).not.toBe(transportOf(sdp('2', [])))
    expect(transportOf(sdp('1', ['video']))).toBe(transportOf(sdp('1', ['audio'])))
  })

  it('maps slots by m-line, also when a slot is given to somebody else', async () => {
    const connection = new SubscribeConnection(createPeer)
    const seen: RemoteTrack[][] = []
    connection.on('tracks', (tracks) => seen.push(tracks))
    await connection.handle(offer('1', 1, ['a', 'b']))
    await connection.handle(offer('1', 2, ['c', 'b']))
    expect(seen[0]?.map((each) => each.publicationId)).toEqual(['a', 'b'])
    expect(seen[1]?.map((each) => each.publicationId)).toEqual(['c', 'b'])
    expect(seen[1]?.[0]?.track).toBe(seen[0]?.[0]?.track)
    expect(FakePeer.all).toHaveLength(1)
  })

  it('ignores an offer older than the last', async () => {
    const connection = new SubscribeConnection(createPeer)
    await connection.handle(offer('1', 5, ['a']))
    expect(await connection.handle(offer('1', 4, ['b']))).toBeNull()
    expect(await connection.handle(offer('1', 5, ['a']))).not.toBeNull()
  })

  it('takes a new transport with its own count, and keeps the old pictures until it stands', async () => {
    const connection = new SubscribeConnection(createPeer)
    await connection.handle(offer('1', 9, ['a']))
    connection.reset()
    expect(FakePeer.all[0]?.closed).toBe(false)
    expect(await connection.handle(offer('1', 10, ['a']))).toBeNull()
    expect(await connection.handle(offer('2', 1, ['a']))).not.toBeNull()
    expect(FakePeer.all).toHaveLength(2)
    expect(FakePeer.all[0]?.closed).toBe(true)
  })

  it('asks for a fresh transport when an offer cannot be taken', async () => {
    let broken = 0
    const connection = new SubscribeConnection(() => {
      const peer = new FakePeer()
      peer.failRemote = true
      return peer as unknown as RTCPeerConnection
    })
    connection.on('broken', () => (broken += 1))
    expect(await connection.handle(offer('1', 1, ['a']))).toBeNull()
    expect(broken).toBe(1)
    expect(connection.peer).toBeNull()
  })
})
