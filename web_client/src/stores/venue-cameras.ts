/** The cameras of a venue: which there are, what each is called, which are sent, and which one is the main picture. */
import { defineStore } from 'pinia'
import { computed, markRaw, ref, shallowRef, watch } from 'vue'
import { captureProblem, problemOf, type DeviceProblem } from '@/rtc/devices'
import type { SlotKey } from '@/rtc/publish-connection'
import type { RoomSession } from '@/rtc/room-session'
import { VenueCamera, type CameraState } from '@/rtc/venue-camera'
import { i18n } from '@/i18n'
import { keepCameras, nextNumber, readCameras, uniqueLabel, type KeptCamera } from './kept-cameras'
import { useDevices } from './devices'

/** As many pictures as one participant may send beside its microphone and its screen. */
export const MOST_CAMERAS = 4

export interface CameraView {
  id: string
  label: string
  device: string
  wanted: boolean
  state: CameraState
  track: MediaStreamTrack | null
  main: boolean
}

/** the picture cannot be used, or there is none although it is wanted */
export const isBad = (state: CameraState): boolean => !['off', 'opening', 'good'].includes(state)

export const useVenueCameras = defineStore('venue-cameras', () => {
  const { t } = i18n.global
  const devices = useDevices()
  const session = shallowRef<RoomSession | null>(null)
  const known = new Map<string, VenueCamera>()
  const kept = shallowRef<Record<string, KeptCamera>>(readCameras())
  const shown = shallowRef<CameraView[]>([])
  /** the whole venue's picture is off, by its own choice or because somebody else runs it */
  const paused = ref(false)
  /** why not a single camera is known */
  const problem = ref<DeviceProblem | null>(null)
  const searching = ref(false)

  const main = computed(() => {
    const wished = (list: CameraView[]): CameraView | undefined => list.find((each) => kept.value[each.id]?.main)
    const wanted = shown.value.filter((each) => each.wanted)
    const live = wanted.filter((each) => each.track)
    // Without its picture another one stands for the venue until it is back, here as on the server.
    return wished(live) ?? live[0] ?? wished(wanted) ?? wanted[0] ?? null
  })
  const cameras = computed<CameraView[]>(() => shown.value.map((each) => ({ ...each, main: each.id === main.value?.id })))
  const seen = computed(() => session.value !== null && !paused.value && shown.value.some((each) => each.track !== null && each.state !== 'held'))
  const full = computed(() => shown.value.filter((each) => each.wanted).length >= MOST_CAMERAS)

  let preferred: string | null = null
  let touched = false

  const keyOf = (id: string): SlotKey => `camera:${id.slice(0, 16)}`
  const labelOf = (id: string): string => {
    const entry = kept.value[id]
    return entry?.label ?? t('venue.cameraN', { n: entry?.number ?? 1 })
  }

  function look(): void {
    shown.value = [...known.values()].map((each) => ({
      id: each.id,
      label: labelOf(each.id),
      device: each.device,
      wanted: each.wanted,
      state: each.state,
      track: each.track,
      main: false,
    }))
  }

  function keep(id: string, part: Partial<KeptCamera>): void {
    const before = kept.value[id] ?? { number: nextNumber(kept.value), on: false, main: false }
    kept.value = { ...kept.value, [id]: { ...before, ...part } }
    keepCameras(kept.value)
  }

  /** `first`: the camera that was chosen before entering. */
  function start(next: RoomSession, first: string | null, on: boolean): void {
    session.value = next
    paused.value = !on
    preferred = first
    touched = false
    meet()
    void find(true)
  }

  function stop(): void {
    for (const each of known.values()) each.shut()
    session.value = null
    look()
  }

  /** Takes in what the system lists now. */
  function meet(): void {
    const list = devices.now.list.cameras
    for (const each of list) {
      if (known.has(each.id)) continue
      const camera = markRaw(new VenueCamera(each.id, each.label))
      known.set(each.id, camera)
      if (!kept.value[each.id]) keep(each.id, {})
      camera.on('changed', look)
      camera.on('track', (track) => {
        look()
        send(camera, track)
      })
    }
    for (const each of known.values()) each.setPresent(list.some((one) => one.id === each.id))
    if (session.value && !paused.value) wake()
    look()
  }

  /** What was on the last time, and at the very first the one that was chosen, or any. */
  function wake(): void {
    const wished = [...known.values()].filter((each) => kept.value[each.id]?.on)
    // Whoever turned all of them off meant it.
    const begin = wished.length > 0 || touched ? wished : [known.get(preferred ?? '') ?? [...known.values()][0]]
    for (const each of begin.slice(0, MOST_CAMERAS)) {
      if (!each || each.wanted) continue
      keep(each.id, { on: true })
      void each.open()
    }
  }

  function send(camera: VenueCamera, track: MediaStreamTrack | null): void {
    const publish = session.value?.publish
    if (!publish) return
    const key = keyOf(camera.id)
    // A camera without a picture leaves the room: another one takes its place where a single one is shown.
    if (track) void publish.setTrack(key, track, labelOf(camera.id))
    else void publish.withdraw(key)
  }

  watch(
    () => devices.now.list.cameras,
    () => {
      if (session.value) meet()
    },
  )
  watch([() => main.value?.id ?? null, session], ([id, now]) => {
    if (id !== null && now) void now.publish.setMain(keyOf(id))
  })

  /** Asks for cameras once more, and for the permission to use them. `quiet`: only when none is known. */
  async function find(quiet = false): Promise<void> {
    problem.value = captureProblem()
    if (problem.value || (quiet && devices.now.list.cameras.length > 0)) return
    searching.value = true
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: true })
      for (const track of stream.getTracks()) track.stop()
      problem.value = null
      await devices.relist()
      meet()
    } catch (error) {
      problem.value = problemOf(error)
    }
    searching.value = false
  }

  function turn(id: string, on: boolean): void {
    const camera = known.get(id)
    if (!camera || (on && !camera.wanted && full.value)) return
    touched = true
    keep(id, { on })
    if (!on) camera.shut()
    else if (!paused.value) void camera.open()
    look()
  }

  function rename(id: string, label: string): void {
    const others = shown.value.filter((each) => each.id !== id).map((each) => each.label)
    keep(id, { label: uniqueLabel(label.trim().slice(0, 20), others) })
    look()
    const camera = known.get(id)
    if (camera?.track) void session.value?.publish.setTrack(keyOf(id), camera.track, labelOf(id))
  }

  function choose(id: string): void {
    for (const each of shown.value) if (kept.value[each.id]?.main !== (each.id === id)) keep(each.id, { main: each.id === id })
  }

  async function reopen(id: string): Promise<void> {
    await devices.relist()
    await known.get(id)?.open()
  }

  function pause(now: boolean): void {
    if (paused.value === now) return
    paused.value = now
    if (now) for (const each of known.values()) each.shut()
    else wake()
    look()
  }

  return {
    cameras,
    main,
    seen,
    full,
    paused,
    problem,
    searching,
    start,
    stop,
    find,
    turn,
    rename,
    choose,
    reopen,
    pause,
    toggle: () => pause(!paused.value),
    picture: (label: string | null) => shown.value.find((each) => each.label === label)?.track ?? main.value?.track ?? null,
  }
})
