/** What is said of cameras, and that events give what a fresh snapshot would say. */
import { describe, expect, it } from 'vitest'
import { CAMERA_FAULTS, type CameraNow } from '@/api/cameras'
import { camerasEn } from '@/i18n/cameras.en'
import { camerasZhCN } from '@/i18n/cameras.zh-CN'
import { i18n } from '@/i18n'
import { cameraWords, faultWords, pictureWords } from '@/stores/cameras'
import { applyEvent, stateFrom } from '@/stores/room-state'
import { snapshot } from './fakes'

const t = (key: string, values?: Record<string, unknown>): string => i18n.global.t(key, values ?? {})
const picture = { width: 1920, height: 1080, frames_per_second: 24.98, codec: 'h264', has_sound: true, transcoding: false, cpu_share: 0.02 }
const camera = (more: Partial<CameraNow> = {}): CameraNow => ({
  id: 'm_1',
  venue_id: 'v_1',
  venue: '西乡分会场',
  label: '主席台',
  is_main: true,
  with_sound: false,
  state: 'running',
  reason: null,
  since_wall_ms: 1,
  retry_wall_ms: null,
  picture,
  participant_id: 'p_1',
  ...more,
})

describe('the words of a camera', () => {
  it('say for every fault what is the matter and what to do, in both languages', () => {
    for (const fault of CAMERA_FAULTS) {
      for (const texts of [camerasZhCN, camerasEn]) {
        const { says, todo } = texts.cameras.fault[fault]
        expect(says.length, fault).toBeGreaterThan(3)
        expect(todo.length, fault).toBeGreaterThan(5)
      }
      expect(faultWords(fault, t).says).toBe(camerasZhCN.cameras.fault[fault].says)
    }
  })

  it('say how one fares', () => {
    expect(cameraWords(camera(), t)).toEqual({ sign: 'ok', says: '画面正常，1920×1080，每秒 25 帧，有声音', todo: '' })
    expect(cameraWords(camera({ picture: { ...picture, transcoding: true, cpu_share: 0.614 } }), t).todo).toBe('正在转码，占用 61% 处理器')
    expect(cameraWords(camera({ state: 'failed', reason: 'stopped' }), t)).toMatchObject({ sign: 'bad', says: '画面中断' })
    expect(cameraWords(camera({ reason: 'overload' }), t).sign).toBe('warn')
    expect(cameraWords(camera({ state: 'idle', picture: null }), t)).toEqual({ sign: 'off', says: '待命', todo: '有人进入会议室后自动接入' })
    expect(cameraWords(camera({ state: 'connecting', picture: null }), t).sign).toBe('wait')
    expect(pictureWords({ width: 0, height: 0, has_sound: true }, t)).toBe('只有声音')
  })
})

describe('the cameras of the room', () => {
  it('follow each event', () => {
    const state = stateFrom(snapshot({ cameras: [camera()] }))
    expect(applyEvent(state, 'camera.updated', { camera: camera({ state: 'failed', reason: 'refused' }) })).toBe(true)
    expect(applyEvent(state, 'camera.updated', { camera: camera({ id: 'm_2' }) })).toBe(true)
    expect(state.cameras.map((each) => [each.id, each.state])).toEqual([['m_1', 'failed'], ['m_2', 'running']])
    expect(applyEvent(state, 'camera.removed', { camera_id: 'm_1' })).toBe(true)
    expect(state.cameras.map((each) => each.id)).toEqual(['m_2'])
  })

  it('are none where the server tells of none', () => {
    expect(stateFrom(snapshot({})).cameras).toEqual([])
  })
})
