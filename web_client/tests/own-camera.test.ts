import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Source } from '@/api/messages'
import type { RoomSession } from '@/rtc/room-session'
import { EncoderWatch } from '@/rtc/encoder-watch'
import { Emitter } from '@/rtc/emitter'
import { useDevices } from '@/stores/devices'
import { useNotices } from '@/stores/notices'
import { useOwnMedia } from '@/stores/own-media'
import { useRoom } from '@/stores/room'
import { fakeTrack, participant, settle, snapshot } from './fakes'

interface Heard {
  encoder: EncoderWatch
  rebuilt: undefined
  republished: undefined
}

class FakeSession extends Emitter<Heard> {
  readonly asked: unknown[] = []
  readonly needs: [Source, readonly string[] | null][] = []
  readonly publish = {
    setTrack: () => Promise.resolve(),
    keyOf: (source: Source) => source,
    need: (source: Source, layers: readonly string[] | null) => this.needs.push([source, layers]),
  }
  request(_name: string, payload: unknown): Promise<unknown> {
    this.asked.push(payload)
    return Promise.resolve({})
  }
}

let session: FakeSession
const texts = (): string[] => useNotices().toasts.map((each) => each.text)

function give(track: MediaStreamTrack | null, more: { interrupted?: boolean } = {}): void {
  const { local } = useDevices()
  Object.assign(local.camera, { track, wanted: true, interrupted: false, ...more })
  local.emit('track', { kind: 'camera', track })
  local.emit('changed', undefined)
}

beforeEach(async () => {
  vi.useFakeTimers()
  setActivePinia(createPinia())
  useRoom().take(snapshot({ participants: [participant('me')] }))
  const devices = useDevices()
  devices.local.list = { microphones: [], speakers: [], cameras: [{ id: 'one', label: '一' }, { id: 'two', label: '二' }] }
  session = new FakeSession()
  give({ ...fakeTrack('video'), stop: () => undefined } as MediaStreamTrack)
  useOwnMedia().start(session as unknown as RoomSession, { microphone: false, camera: true })
  await settle()
})

describe('one’s own camera', () => {
  it('that is gone for longer than a moment is told, with another to choose, and its return as well', async () => {
    const old = useDevices().local.camera.track
    give(null)
    await vi.advanceTimersByTimeAsync(1000)
    give(old)
    await vi.advanceTimersByTimeAsync(3000)
    expect(texts()).toEqual([])
    give(null)
    await vi.advanceTimersByTimeAsync(2000)
    expect(texts()).toEqual(['摄像头已断开'])
    expect(useNotices().toasts[0]?.action?.label).toBe('换一个摄像头')
    give(old)
    expect(texts()).toContain('摄像头已恢复，大家能看到您')
  })

  it('that the system holds back is shown as switched off until it is back', async () => {
    const own = useOwnMedia()
    const track = useDevices().local.camera.track
    give(track, { interrupted: true })
    await vi.advanceTimersByTimeAsync(2500)
    expect(own.seen).toBe(false)
    expect(session.asked.at(-1)).toMatchObject({ camera: false })
    give(track)
    await settle()
    expect(own.seen).toBe(true)
    expect(session.asked.at(-1)).toMatchObject({ camera: true })
  })

  it('that gives nothing is opened again once, then another one is offered', async () => {
    const open = vi.spyOn(useDevices().local, 'open').mockResolvedValue()
    const watch = new EncoderWatch()
    watch.stalled = true
    session.emit('encoder', watch)
    expect(open).toHaveBeenCalledOnce()
    watch.stalled = false
    session.emit('encoder', watch)
    watch.stalled = true
    session.emit('encoder', watch)
    expect(open).toHaveBeenCalledOnce()
    expect(texts()).toContain('摄像头没有画面')
    await settle()
  })

  it('is sent in those layers that the server asks for, also when it asks before the room lists the track', async () => {
    const own = useOwnMedia()
    const room = useRoom()
    own.toldLayers({ publication_id: 'mine', layers: ['q'] })
    await settle()
    expect(session.needs).toEqual([])
    const me = participant('me', { publications: [{ id: 'mine', kind: 'video', source: 'camera', label: null, codec: null }] })
    room.apply({ name: 'participant.updated', payload: { version: 2, participant: me } })
    await settle()
    expect(session.needs.at(-1)).toEqual(['camera', ['q']])
    // New transports for what is received change nothing of what is sent.
    session.emit('rebuilt', undefined)
    own.toldLayers({ publication_id: 'other', layers: [] })
    await settle()
    expect(session.needs.at(-1)).toEqual(['camera', ['q']])
    session.emit('republished', undefined)
    session.needs.length = 0
    room.apply({ name: 'participant.updated', payload: { version: 3, participant: { ...me, hand: 1 } } })
    await settle()
    expect(session.needs).toEqual([])
  })
})
