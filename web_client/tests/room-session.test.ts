import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Resume } from '@/api/keepsake'
import { RoomSocket } from '@/api/room-socket'
import { RoomSession, type EndReason, type LinkState } from '@/rtc/room-session'
import { createPeer, FakePeer, FakeWire, fakeTrack, participant, settle, snapshot } from './fakes'

let wire: FakeWire
let auth: () => Record<string, unknown>
let kept: Resume | null
let links: LinkState[]
let ends: EndReason[]

const place = {
  participant_id: 'me',
  resume_secret: 'waiting',
  name: '陈委员',
  role: 'member',
  venue: null,
  since_wall_ms: 0,
  consultation: { id: 'demo', title: '', status: 'scheduled', scheduled_at_ms: null, organization: null },
}

function session(takeOver = false): RoomSession {
  const own = new RoomSession({
    openSocket: (give) => {
      auth = give
      return new RoomSocket(wire)
    },
    createPeer,
    token: 'token',
    name: '陈委员',
    kind: 'laptop',
    takeOver,
    readResume: () => kept,
    keepResume: (resume) => (kept = resume),
  })
  own.on('link', (state) => links.push(state))
  own.on('ended', (reason) => ends.push(reason))
  own.start()
  return own
}

async function enter(more: Parameters<typeof snapshot>[0] = {}): Promise<void> {
  wire.accept()
  wire.deliver('room.snapshot', snapshot(more))
  await settle()
}

const lastPeer = (): FakePeer | undefined => FakePeer.all.at(-1)

beforeEach(() => {
  vi.useFakeTimers()
  wire = new FakeWire()
  wire.answers = { 'media.publish': { sdp: 'answer' }, 'room.sync': snapshot(), 'media.restart': {} }
  kept = null
  links = []
  ends = []
  FakePeer.all.length = 0
})

describe('a session', () => {
  it('enters, keeps the secret and shows it when it comes back', async () => {
    session()
    expect(auth()).toEqual({ token: 'token', name: '陈委员', kind: 'laptop' })
    await enter()
    expect(links).toEqual(['connected'])
    wire.drop()
    expect(links).toEqual(['connected', 'reconnecting'])
    expect(auth().resume).toEqual({ participant_id: 'me', secret: 'secret' })
  })

  it('keeps peer connections that live over a reconnection of the socket', async () => {
    const own = session()
    void own.publish.setTrack('microphone', fakeTrack('audio'))
    await enter()
    lastPeer()?.become('connected')
    wire.drop()
    await vi.advanceTimersByTimeAsync(300)
    await enter()
    expect(FakePeer.all).toHaveLength(1)
    expect(links.at(-1)).toBe('connected')
  })

  it('rebuilds both when the media process is another one', async () => {
    const own = session()
    void own.publish.setTrack('microphone', fakeTrack('audio'))
    await enter()
    lastPeer()?.become('connected')
    wire.drop()
    await enter({ media: { epoch: 'two', ice_servers: [] } })
    expect(FakePeer.all).toHaveLength(2)
    expect(wire.events('media.publish')).toHaveLength(2)
  })

  it('rebuilds when it comes back as somebody new', async () => {
    const own = session()
    void own.publish.setTrack('microphone', fakeTrack('audio'))
    await enter()
    lastPeer()?.become('connected')
    wire.drop()
    await enter({ self: { ...snapshot().self, participant_id: 'other' } })
    expect(wire.events('media.publish')).toHaveLength(2)
  })

  it('says lost after 20 s and comes back by itself', async () => {
    session()
    await enter()
    wire.drop()
    await vi.advanceTimersByTimeAsync(19_900)
    expect(links.at(-1)).toBe('reconnecting')
    await vi.advanceTimersByTimeAsync(200)
    expect(links.at(-1)).toBe('lost')
    const tries = wire.connects
    await vi.advanceTimersByTimeAsync(20_000)
    expect(wire.connects).toBeGreaterThan(tries)
    await enter()
    expect(links.at(-1)).toBe('connected')
  })

  it('replaces a socket that looks alive but does not answer', async () => {
    wire.answers = {}
    session()
    await enter()
    const tries = wire.connects
    await vi.advanceTimersByTimeAsync(2000)
    window.dispatchEvent(new Event('online'))
    await vi.advanceTimersByTimeAsync(2900)
    expect(wire.connects).toBe(tries)
    await vi.advanceTimersByTimeAsync(200)
    expect(wire.connects).toBe(tries + 1)
    expect(links.at(-1)).toBe('reconnecting')
  })

  it('does not publish for somebody without the right', async () => {
    const own = session()
    void own.publish.setTrack('microphone', fakeTrack('audio'))
    await enter({ self: { ...snapshot().self, can: [] } })
    await vi.advanceTimersByTimeAsync(30_000)
    expect(wire.events('media.publish')).toHaveLength(0)
  })

  it.each([
    ['session.refused', { code: 'room_full', message: '' }, { kind: 'refused', code: 'room_full' }],
    ['session.replaced', {}, { kind: 'replaced' }],
    ['session.removed', { by: '刘主持人' }, { kind: 'removed', by: '刘主持人' }],
  ])('ends for good on %s', async (name, payload, reason) => {
    session()
    await enter()
    wire.deliver(name, payload)
    wire.drop()
    expect(ends).toEqual([reason])
    const tries = wire.connects
    await vi.advanceTimersByTimeAsync(60_000)
    expect(wire.connects).toBe(tries)
  })

  it('goes on trying after a refusal that passes', async () => {
    session()
    await enter()
    wire.drop()
    wire.accept()
    wire.deliver('session.refused', { code: 'media_unavailable', message: '' })
    wire.drop()
    expect(ends).toEqual([])
    await vi.advanceTimersByTimeAsync(3000)
    await enter()
    expect(links.at(-1)).toBe('connected')
  })

  it('answers offers, and asks for one when none comes', async () => {
    session()
    await enter()
    const answers: unknown[] = []
    wire.deliver(
      'media.offer',
      { sdp: 'o=- 1 1 IN\r\nm=video 9', generation: 1, tracks: [] },
      (answer: unknown) => answers.push(answer),
    )
    await settle()
    expect(answers).toEqual([{ sdp: 'local-0' }])
    wire.deliver('media.restart', { epoch: 'two' })
    await vi.advanceTimersByTimeAsync(6000)
    expect(wire.events('media.restart')).toHaveLength(1)
  })

  it('is connected only when what it sends has connected once', async () => {
    const own = session()
    void own.publish.setTrack('microphone', fakeTrack('audio'))
    await enter()
    expect(links).toEqual([])
    lastPeer()?.become('connected')
    expect(links).toEqual(['connected'])
  })

  it('is connected only when the others can be seen, and without media where none come', async () => {
    const own = session()
    const camera = { id: 'pic', kind: 'video', source: 'camera', label: null, codec: null } as const
    await enter({ participants: [participant('me'), participant('other', { publications: [camera] })] })
    expect(own.link).toBe('connecting')
    wire.deliver('media.offer', { sdp: 'o=- 1 1 IN\r\nm=video 9', generation: 1, tracks: [] }, () => undefined)
    await settle()
    expect(own.link).toBe('connecting')
    lastPeer()?.become('connected')
    expect(own.link).toBe('connected')
  })

  it('says lost when media never connects', async () => {
    const own = session()
    void own.publish.setTrack('microphone', fakeTrack('audio'))
    await enter()
    await vi.advanceTimersByTimeAsync(20_100)
    expect(own.link).toBe('lost')
  })

  it('waits before the door, keeps its place over a broken line, and enters on the same socket', async () => {
    const own = session()
    const waits: unknown[] = []
    own.on('waiting', (each) => waits.push(each))
    wire.accept()
    wire.deliver('room.waiting', place)
    await vi.advanceTimersByTimeAsync(60_000)
    expect([waits.length, wire.connects, own.link]).toEqual([1, 1, 'connecting'])
    wire.drop()
    expect(own.link).toBe('reconnecting')
    expect(auth().resume).toEqual({ participant_id: 'me', secret: 'waiting' })
    wire.accept()
    wire.deliver('room.waiting', place)
    expect(own.link).toBe('connecting')
    wire.deliver('room.snapshot', snapshot())
    expect(own.link).toBe('connected')
  })

  it('is told that it was refused', async () => {
    session()
    wire.accept()
    wire.deliver('room.waiting', place)
    wire.deliver('session.removed', { by: '刘主持人', reason: 'refused' })
    expect(ends).toEqual([{ kind: 'removed', by: '刘主持人', reason: 'refused' }])
  })

  it('takes the place of another device once, and never on the way back', async () => {
    session(true)
    expect(auth().take_over).toBe(true)
    await enter()
    wire.drop()
    expect(auth()).not.toHaveProperty('take_over')
  })
})
