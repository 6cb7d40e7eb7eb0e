/** Finding a camera: what is said of streams, which answers count, and what the form gets. */
import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { CAMERA_FAULTS, type CameraDevice, type DeviceStream } from '@/api/cameras'
import { i18n } from '@/i18n'
import { camerasEn } from '@/i18n/cameras.en'
import { camerasZhCN } from '@/i18n/cameras.zh-CN'
import { finderFault, labelOf, streamTitle, streamWords, transcodes, useCameraFinder } from '@/stores/camera-finder'
import { useNotices } from '@/stores/notices'
import { useSession } from '@/stores/session'
import { FakeServer, later } from './fake-server'

const t = (key: string, values?: Record<string, unknown>): string => i18n.global.t(key, values ?? {})
const stream = (more: Partial<DeviceStream> = {}): DeviceStream => ({ name: 'Profile_1', codec: 'h264', width: 1920, height: 1080, frames_per_second: 25, address: 'rtsp://192.168.1.64/101', ...more })
const device: CameraDevice = { address: 'http://192.168.1.64/onvif/device_service', host: '192.168.1.64', name: '主席台', hardware: 'YS-200' }
const QUESTION = { address: '192.168.1.64', user: 'admin', password: 'geheim' }

describe('the words of a stream', () => {
  it('say how large it is and how it is coded', () => {
    expect(streamWords(stream(), t)).toBe('1920×1080，H264，每秒 25 帧，Profile_1')
    expect(streamWords(stream({ codec: 'hevc', name: '' }), t)).toBe('1920×1080，H265，每秒 25 帧')
    expect(streamWords(stream({ codec: '', width: 0, height: 0, frames_per_second: 0, name: '' }), t)).toBe('格式未知')
    expect(streamWords(stream({ codec: 'mjpeg', frames_per_second: 0, name: '' }), t)).toBe('1920×1080，MJPEG')
  })

  it('call the largest picture the main one', () => {
    const all = [stream(), stream({ width: 640, height: 360 }), stream({ codec: 'hevc', width: 3840, height: 2160 })]
    expect(all.map((each) => streamTitle(each, all, t))).toEqual(['子码流', '子码流', '主码流'])
    expect(all.map(transcodes)).toEqual([false, false, true])
    expect(transcodes(stream({ codec: '' }))).toBe(false)
  })

  it('say for every fault what is the matter and what to do, in both languages', () => {
    for (const texts of [camerasZhCN, camerasEn]) {
      for (const { says, todo } of Object.values(texts.cameras.find.fault)) expect(Math.min(says.length, todo.length)).toBeGreaterThan(3)
    }
    for (const fault of CAMERA_FAULTS) expect(finderFault(fault, t).says).not.toContain('cameras.')
    expect(finderFault('refused', t).todo).toContain('ONVIF')
    expect(finderFault('overload', t)).toEqual(finderFault('garbage', t))
  })

  it('name a camera by what it calls itself, or by where it is', () => {
    expect(labelOf(QUESTION, device, t)).toBe('主席台')
    expect(labelOf(QUESTION, { ...device, name: '' }, t)).toBe('YS-200')
    expect(labelOf(QUESTION, null, t)).toBe('摄像机 192.168.1.64')
    expect(labelOf({ ...QUESTION, address: ' http://admin:geheim@192.168.1.64:8000/onvif/x?y ' }, null, t)).toBe('摄像机 192.168.1.64:8000')
  })
})

describe('the finder', () => {
  const FIND = 'POST /consultations/c/venues/v_1/cameras/find'
  const STREAMS = 'POST /consultations/c/venues/v_1/cameras/streams'
  let server: FakeServer

  beforeEach(() => {
    setActivePinia(createPinia())
    useSession().cid = 'c'
    server = new FakeServer()
    vi.stubGlobal('fetch', server.fetch)
  })

  it('tells none found from a search that failed', async () => {
    const finder = useCameraFinder()
    server.answers[FIND] = () => ({ body: { items: [] } })
    await finder.search('v_1')
    expect([finder.devices, finder.failed, finder.searching]).toEqual([[], false, false])
    server.answers[FIND] = () => ({ status: 429, body: { code: 'camera_busy' } })
    await finder.search('v_1')
    expect([finder.devices, finder.failed]).toEqual([null, true])
    expect(useNotices().toasts.map((each) => each.text)).toEqual(['正在查找或测试别的摄像机，请稍后再试'])
  })

  it('asks with what opens the device, and shows what it has', async () => {
    const finder = useCameraFinder()
    server.answers[STREAMS] = () => ({ body: { reason: null, streams: [stream()] } })
    await finder.read('v_1', QUESTION)
    expect(server.of(STREAMS).map((each) => each.body)).toEqual([QUESTION])
    expect(finder.answer?.streams).toEqual([stream()])
    server.answers[STREAMS] = () => ({ body: { reason: 'password_wrong', streams: [] } })
    await finder.read('v_1', QUESTION)
    expect(finder.answer).toEqual({ reason: 'password_wrong', streams: [] })
  })

  it('shows nothing that was asked before something else was', async () => {
    const finder = useCameraFinder()
    const slow = later()
    server.answers[STREAMS] = () => slow.answer
    const first = finder.read('v_1', QUESTION)
    await vi.waitFor(() => expect(server.asked).toHaveLength(1))
    expect(finder.reading).toBe(true)
    finder.forgetStreams()
    expect(finder.reading).toBe(false)
    slow.come({ body: { reason: null, streams: [stream()] } })
    await first
    expect(finder.answer).toBeNull()

    const slower = later()
    server.answers[FIND] = () => slower.answer
    const search = finder.search('v_1')
    finder.reset()
    slower.come({ body: { items: [device] } })
    await search
    expect([finder.devices, finder.searching]).toEqual([null, false])
  })
})
