/** Clips: where the room is in one, the words about each, and the state after events. */
import { describe, expect, it } from 'vitest'
import { CLIP_REFUSALS, positionOf, type Clip, type PlayingClip } from '@/api/clips'
import { lacks, lengthText, refusedText, sizeText, stateText } from '@/components/clips/clip-words'
import { i18n } from '@/i18n'
import { applyEvent, stateFrom } from '@/stores/room-state'
import type { Snapshot } from '@/api/messages'

const t = (key: string, values?: Record<string, unknown>): string => i18n.global.t(key, values ?? {})
const clip: Clip = {
  id: 'k_1',
  venue_id: null,
  name: '宣传片.mp4',
  size_bytes: 84_000_000,
  added_at_ms: 1,
  added_by: '秘书处',
  state: 'ready',
  reason: null,
  progress: 0,
  duration_ms: 65_000,
  width: 1280,
  height: 720,
  has_picture: true,
  has_sound: true,
  cue_ms: 0,
}
const playing: PlayingClip = {
  id: 'l_1',
  clip_id: 'k_1',
  participant_id: 'p_1',
  name: '宣传片',
  venue_id: null,
  started_by: '刘主持人',
  state: 'playing',
  position_ms: 5_000,
  duration_ms: 65_000,
  at_ms: 90_000,
  at_wall_ms: 1_000_000,
}

describe('the position', () => {
  it('goes on with the clock while it plays, and not beyond its end', () => {
    expect(positionOf(playing, 1_002_500)).toBe(7_500)
    expect(positionOf(playing, 2_000_000)).toBe(65_000)
    expect(positionOf(playing, 990_000)).toBe(0)
  })

  it('stands while it is paused', () => {
    expect(positionOf({ ...playing, state: 'paused' }, 1_002_500)).toBe(5_000)
  })
})

describe('the words', () => {
  it('say how long and how large it is', () => {
    expect([lengthText(999), lengthText(65_000), lengthText(3_723_000)]).toEqual(['0:00', '1:05', '1:02:03'])
    expect([sizeText(84_000_000, t), sizeText(2_147_483_648, t), sizeText(10, t)]).toEqual(['84 MB', '2.1 GB', '1 MB'])
  })

  it('say how far it is, and why it cannot be played', () => {
    expect(stateText({ ...clip, state: 'transcoding', progress: 40 }, t)).toBe('正在转换 40 %')
    expect(stateText({ ...clip, state: 'queued' }, t)).toBe('等待检查')
    const said = CLIP_REFUSALS.map((reason) => refusedText({ ...clip, state: 'refused', reason }, t))
    expect(new Set(said).size).toBe(CLIP_REFUSALS.length)
    expect(said.every((each) => !each.startsWith('clips.'))).toBe(true)
    expect(refusedText({ ...clip, reason: 'new_one' as never }, t)).toBe('不能播放，请换一个文件')
  })

  it('say that sound or picture is missing', () => {
    expect(lacks(clip, t)).toBe('')
    expect(lacks({ ...clip, has_sound: false }, t)).toBe('没有声音')
    expect(lacks({ ...clip, has_picture: false }, t)).toBe('只有声音，没有画面')
  })
})

describe('the room', () => {
  it('knows the clip from the snapshot and from its events', () => {
    const state = stateFrom({ version: 4, consultation: {}, self: {}, participants: [], speakers: [] } as unknown as Snapshot)
    expect(state.clip).toBeNull()
    expect(applyEvent(state, 'clip.updated', { version: 5, clip: playing })).toBe(true)
    expect(state).toMatchObject({ version: 5, clip: { id: 'l_1', state: 'playing' } })
    expect(applyEvent(state, 'clip.updated', { version: 7, clip: null })).toBe(false)
    expect(applyEvent(state, 'clip.updated', { version: 6, clip: null })).toBe(true)
    expect(state.clip).toBeNull()
  })
})
