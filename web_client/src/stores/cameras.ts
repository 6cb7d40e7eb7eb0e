/** Cameras of venues that the server fetches: the rows to edit, how each fares, and that in words. */
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { cameras as doors, type Camera, type CameraChanges, type CameraDraft, type CameraFault, type CameraLook, type CameraNow, type CameraPicture, type Cameras } from '@/api/cameras'
import { useActs, type Done } from './acts'
import { useRoom } from './room'
import { useSession } from './session'

type Translate = (key: string, values?: Record<string, unknown>) => string

/** A sign to be drawn, what is the matter, and what to do about it (empty: nothing). */
export interface CameraWords {
  sign: 'ok' | 'wait' | 'warn' | 'bad' | 'off'
  says: string
  todo: string
}

/** What a fault is called, and what to do about it. */
export function faultWords(fault: CameraFault, t: Translate): CameraWords {
  return { sign: fault === 'overload' ? 'warn' : 'bad', says: t(`cameras.fault.${fault}.says`), todo: t(`cameras.fault.${fault}.todo`) }
}

/** 1920×1080，每秒 25 帧，含声音 */
export function pictureWords(picture: Pick<CameraPicture, 'width' | 'height' | 'has_sound'> & { frames_per_second?: number }, t: Translate): string {
  const parts: string[] = []
  if (picture.height > 0) parts.push(`${picture.width}×${picture.height}`)
  if (picture.height > 0 && picture.frames_per_second) parts.push(t('cameras.fps', { n: Math.round(picture.frames_per_second) }))
  if (picture.has_sound) parts.push(t(picture.height > 0 ? 'cameras.withSound' : 'cameras.soundOnly'))
  return parts.join(t('cameras.comma'))
}

/** How a camera fares, for somebody who is no engineer. */
export function cameraWords(camera: Pick<CameraNow, 'state' | 'reason' | 'picture'>, t: Translate): CameraWords {
  if (camera.reason) return faultWords(camera.reason, t)
  if (camera.state === 'off') return { sign: 'off', says: t('cameras.state.off'), todo: '' }
  if (camera.state === 'idle') return { sign: 'off', says: t('cameras.state.idle'), todo: t('cameras.state.idleTodo') }
  if (camera.state !== 'running') return { sign: 'wait', says: t('cameras.state.connecting'), todo: '' }
  const picture = camera.picture
  const says = [t('cameras.state.running'), picture ? pictureWords(picture, t) : ''].filter(Boolean).join(t('cameras.comma'))
  if (!picture?.transcoding) return { sign: 'ok', says, todo: '' }
  return { sign: 'ok', says, todo: t('cameras.transcoding', { n: Math.round(picture.cpu_share * 100) }) }
}

export const useCameras = defineStore('cameras', () => {
  const acts = useActs()
  const room = useRoom()
  const session = useSession()
  /** as written down, by venue */
  const rows = shallowRef(new Map<string, Camera[]>())
  const now = computed(() => room.state?.cameras ?? [])

  const api = <T>(act: (api: Cameras) => Promise<T>, quiet = false): Promise<Done<T>> => acts.run((http) => act(doors(http, session.cid)), { quiet })
  const of = (venueId: string): Camera[] => rows.value.get(venueId) ?? []
  const nowOf = (venueId: string): CameraNow[] => now.value.filter((each) => each.venue_id === venueId)
  const nowOne = (id: string): CameraNow | null => now.value.find((each) => each.id === id) ?? null

  async function load(venueId: string): Promise<void> {
    const done = await api((all) => all.of(venueId), true)
    if (done) rows.value = new Map(rows.value).set(venueId, done.value.items)
  }

  /** Adds or changes; another one may have become the main one by it. */
  async function keep(venueId: string, id: string | null, said: CameraDraft | CameraChanges): Promise<Camera | null> {
    const done = await api((all) => (id ? all.edit(venueId, id, said) : all.add(venueId, said as CameraDraft)))
    if (done) await load(venueId)
    return done?.value ?? null
  }

  async function remove(camera: Camera): Promise<boolean> {
    const done = await api((all) => all.remove(camera.venue_id, camera.id))
    if (done) await load(camera.venue_id)
    return done !== null
  }

  /** Takes up to 15 seconds. */
  async function test(camera: Camera): Promise<CameraLook | null> {
    return (await api((all) => all.test(camera.venue_id, camera.id)))?.value ?? null
  }

  return { now, of, nowOf, nowOne, load, keep, remove, test }
})
