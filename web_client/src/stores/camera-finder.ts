/** Finding the camera of a venue: devices in the network, the streams of one, and what the form gets of them. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { cameras, type CameraDevice, type CameraFault, type DeviceQuestion, type DeviceStream, type DeviceStreams } from '@/api/cameras'
import { useActs } from './acts'
import type { CameraWords } from './cameras'
import { useSession } from './session'

type Translate = (key: string, values?: Record<string, unknown>) => string

/** What fills the form of a camera. */
export interface FoundCamera {
  label: string
  address: string
  user: string
  password: string
}

const FAULTS: readonly CameraFault[] = ['address_wrong', 'unreachable', 'refused', 'password_wrong', 'not_found', 'no_picture']
const CODECS: Record<string, string> = { h264: 'H264', hevc: 'H265' }

/** Why a device gives no streams, and what to do about it. */
export function finderFault(fault: CameraFault, t: Translate): CameraWords {
  const key = `cameras.find.fault.${FAULTS.includes(fault) ? fault : 'garbage'}`
  return { sign: 'bad', says: t(`${key}.says`), todo: t(`${key}.todo`) }
}

/** Whether the server has to make it anew for browsers, as far as the device says. */
export const transcodes = (stream: DeviceStream): boolean => stream.codec !== '' && stream.codec !== 'h264'

/** 主码流 for the largest picture, 子码流 for the others. */
export function streamTitle(stream: DeviceStream, all: readonly DeviceStream[], t: Translate): string {
  const pixels = (one: DeviceStream): number => one.width * one.height
  const largest = all.reduce((most, each) => Math.max(most, pixels(each)), 0)
  return t(pixels(stream) === largest ? 'cameras.find.main' : 'cameras.find.sub')
}

/** 1920×1080，H264，每秒 25 帧，Profile_1 */
export function streamWords(stream: DeviceStream, t: Translate): string {
  const parts: string[] = []
  if (stream.width > 0 && stream.height > 0) parts.push(`${stream.width}×${stream.height}`)
  parts.push(stream.codec ? (CODECS[stream.codec] ?? stream.codec.toUpperCase()) : t('cameras.find.unsaid'))
  if (stream.frames_per_second > 0) parts.push(t('cameras.fps', { n: Math.round(stream.frames_per_second) }))
  if (stream.name) parts.push(stream.name)
  return parts.join(t('cameras.comma'))
}

/** What a device is called where nobody has named it yet. */
export function labelOf(question: DeviceQuestion, device: CameraDevice | null, t: Translate): string {
  const host = question.address.trim().replace(/^[a-z]+:\/\/(?:[^/@]*@)?/i, '').replace(/[/?].*$/, '')
  return device?.name || device?.hardware || t('cameras.find.label', { host })
}

export const useCameraFinder = defineStore('camera-finder', () => {
  const acts = useActs()
  const session = useSession()
  const searching = ref(false)
  /** null before a search, and after one that failed */
  const devices = shallowRef<CameraDevice[] | null>(null)
  const failed = ref(false)
  const reading = ref(false)
  const answer = shallowRef<DeviceStreams | null>(null)
  // What was closed or asked anew meanwhile is not shown.
  let searched = 0
  let asked = 0

  function forgetStreams(): void {
    asked += 1
    reading.value = false
    answer.value = null
  }

  function reset(): void {
    forgetStreams()
    searched += 1
    searching.value = false
    failed.value = false
    devices.value = null
  }

  /** Takes three seconds. */
  async function search(venueId: string): Promise<void> {
    const turn = (searched += 1)
    searching.value = true
    failed.value = false
    devices.value = null
    const done = await acts.run((http) => cameras(http, session.cid).find(venueId))
    if (turn !== searched) return
    searching.value = false
    failed.value = done === null
    devices.value = done?.value.items ?? null
  }

  /** Takes up to 15 seconds. */
  async function read(venueId: string, question: DeviceQuestion): Promise<void> {
    forgetStreams()
    const turn = asked
    reading.value = true
    const done = await acts.run((http) => cameras(http, session.cid).streams(venueId, question))
    if (turn !== asked) return
    reading.value = false
    answer.value = done?.value ?? null
  }

  return { searching, devices, failed, reading, answer, search, read, forgetStreams, reset }
})
