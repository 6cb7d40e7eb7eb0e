import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Floor } from '@/api/messages'
import { useDevices } from '@/stores/devices'
import { useOwnMedia } from '@/stores/own-media'
import { useRoom } from '@/stores/room'
import { useTurn } from '@/stores/turn'
import { fakeTrack, holding, participant, snapshot } from './fakes'

const floor = (more: Partial<Floor> = {}): Floor => ({ mode: 'chair', holder: null, queue: [], ...more })
let version = 1

function capture(): MediaStreamTrack {
  const { local } = useDevices()
  const track = { ...fakeTrack('audio'), enabled: false, stop: () => undefined } as MediaStreamTrack
  local.microphone.track = track
  local.emit('changed', undefined)
  return track
}
const give = (holder: Floor['holder'], mode: Floor['mode'] = 'chair'): void => {
  version += 1
  useRoom().apply({ name: 'floor.updated', payload: { version, floor: floor({ holder, mode }) } })
}

beforeEach(() => {
  setActivePinia(createPinia())
  version = 1
  useRoom().take(snapshot({ participants: [participant('me')], floor: floor() }))
})

describe('one’s own turn', () => {
  it('opens the captured microphone where that was agreed to, and closes it afterwards', () => {
    const own = useOwnMedia()
    const turn = useTurn()
    capture()
    turn.consent = true
    turn.told({ duration_ms: 300_000, ending: 'soft' })
    expect(own.heard).toBe(false)
    give(holding('me'))
    expect(own.heard).toBe(true)
    expect(turn.asking).toBeNull()
    give(null)
    turn.ended({ reason: 'withdrawn' })
    expect(own.microphone).toBe(false)
  })

  it('asks without consent, and without a microphone', () => {
    const turn = useTurn()
    capture()
    turn.told({ duration_ms: 300_000, ending: 'soft' })
    expect(turn.asking).toEqual({ durationMs: 300_000 })
    useDevices().local.microphone.track = null
    turn.consent = true
    turn.told({ duration_ms: null, ending: 'soft' })
    expect(turn.asking).toEqual({ durationMs: null })
  })

  it('does not open for the turn alone what was open before the gate fell', async () => {
    const own = useOwnMedia()
    const turn = useTurn()
    capture()
    own.microphone = true
    give(holding('me'))
    turn.told({ duration_ms: 300_000, ending: 'soft' })
    expect([own.heard, turn.asking]).toEqual([false, { durationMs: 300_000 }])
    await turn.open()
    expect([own.heard, turn.asking]).toEqual([true, null])
    give(null)
    turn.ended({ reason: 'finished' })
    expect([own.heard, own.microphone]).toEqual([false, true])
  })

  it('keeps one’s own choice behind the gate, for free discussion', () => {
    const own = useOwnMedia()
    capture()
    own.microphone = true
    expect([own.gated, own.heard]).toEqual([true, false])
    give(null, 'free')
    expect([own.gated, own.heard]).toEqual([false, true])
  })

  it('leaves a microphone open that was open before', () => {
    const own = useOwnMedia()
    const turn = useTurn()
    capture()
    own.microphone = true
    give(holding('me'), 'free')
    turn.told({ duration_ms: null, ending: 'soft' })
    give(null, 'free')
    turn.ended({ reason: 'finished' })
    expect(own.microphone).toBe(true)
  })
})
