import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import { codeDigits } from '@/api/links'
import type { Participant } from '@/api/messages'
import { roleAndVenue, whereOf } from '@/pages/room/participant-words'
import { useDucking } from '@/stores/ducking'
import { useOwnMedia } from '@/stores/own-media'
import { useRoom } from '@/stores/room'
import { SoundOutput } from '@/rtc/sound-output'
import { fakeTrack, holding, participant, snapshot } from './fakes'

beforeEach(() => setActivePinia(createPinia()))

const hall = '青禾县分会场'
const speaker = (more: Partial<Participant> = {}): Participant => participant('speaker', { in_hall: true, venue: hall, ...more })

function ducked(me: Partial<Participant>, other: Participant, holds: string | null = 'speaker'): string | null {
  useRoom().take(
    snapshot({
      participants: [participant('me', { role: 'venue_operator', venue: hall, ...me }), other],
      floor: { mode: 'chair', holder: holds === null ? null : holding(holds), queue: [] },
    }),
  )
  return useDucking().name
}

describe('a hall whose telephone has the floor', () => {
  it('is lower on its operator’s page, for the turn', () => {
    expect(ducked({}, speaker())).toBe('speaker')
    expect(ducked({}, speaker(), null)).toBeNull()
  })

  it.each([
    ['another venue', { venue: '主会场' }, speaker()],
    ['somebody without a venue', { venue: null }, speaker({ venue: null })],
    ['somebody who is no operator', { role: 'member' as const }, speaker()],
    ['one who speaks from a hall’s own microphone', {}, speaker({ in_hall: false })],
  ])('is not for %s', (_, me, other) => {
    expect(ducked(me, other)).toBeNull()
  })

  it('lowers what is heard already and what comes later', () => {
    const sound = new SoundOutput()
    const loudness = (): number[] => [...document.querySelectorAll('audio')].map((each) => each.volume)
    const [one, two] = [fakeTrack('audio'), fakeTrack('audio')]
    sound.set(new Map([['one', one]]))
    sound.turn(0.2)
    sound.set(new Map([['one', one], ['two', two]]))
    expect(loudness()).toEqual([0.2, 0.2])
    sound.turn(1)
    expect(loudness()).toEqual([1, 1])
    sound.close()
  })
})

describe('a telephone in a hall', () => {
  it('has its microphone closed in every mode but with the floor', () => {
    const room = useRoom()
    const own = useOwnMedia()
    const self = { ...snapshot().self, in_hall: true }
    room.take(snapshot({ self, floor: { mode: 'free', holder: null, queue: [] } }))
    expect(own.gated).toBe(true)
    room.take(snapshot({ self, floor: { mode: 'free', holder: holding('me'), queue: [] } }))
    expect(own.gated).toBe(false)
  })
})

describe('an entry code', () => {
  it.each([
    ['407 123', '407123'],
    ['４０７１２３', '407123'],
    ['会议码：4071238', '407123'],
    ['', ''],
  ])('%s is read as %s', (typed, code) => {
    expect(codeDigits(typed)).toBe(code)
  })
})

describe('what stands under a name', () => {
  const t = (key: string): string => (key === 'common.separator' ? ' · ' : key)
  it.each<[Partial<Participant>, string]>([
    [{ sector: '医药卫生界', title: '县医院院长', venue: '主会场' }, '医药卫生界 · 主会场'],
    [{ role: 'department', title: '市民政局局长', sector: null }, '市民政局局长'],
    [{ role: 'chair', title: '市政协副主席' }, 'role.chair'],
    [{ venue: hall }, hall],
    [{}, 'role.member'],
    [{ role: 'venue_operator', name: hall, venue: hall }, 'role.venue_operator'],
  ])('of %j is %s', (more, words) => {
    expect(whereOf(participant('x', more), t)).toBe(words)
  })

  it('names role and venue in lists where nothing else is known', () => {
    expect(roleAndVenue(participant('x', { venue: hall }), t)).toBe(`role.member · ${hall}`)
  })
})
