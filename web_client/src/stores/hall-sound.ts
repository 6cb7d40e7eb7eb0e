/** The sound of a venue: what it sends, what is wrong with that, and how loud its loudspeakers are. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import type { SoundProcessing } from '@/rtc/devices'
import { HallEar, type HeardSound } from '@/rtc/hall-ear'
import { HowlGuard, onMeter } from '@/rtc/sound-detectors'
import { presetOf, processingOf, type SoundPreset } from '@/rtc/sound-presets'
import { useDevices } from './devices'
import { useFloor } from './floor'

const VOLUME_KEY = 'yuanshang.hall-volume'
/** Whose turn it is is missed after this long; a hall that only listens may be as quiet as it likes where noise is taken out. */
const SPEAKER_PATIENCE_MS = 8000
const RAW_PATIENCE_MS = 20_000
const IDLE_MS = 500
const PEAK_FALLS = 0.015
const LEVEL_FALLS = 0.8

function readVolume(): number {
  try {
    const kept = Number(window.localStorage.getItem(VOLUME_KEY) ?? '1')
    return kept >= 0 && kept <= 1 ? kept : 1
  } catch {
    return 1
  }
}

export const useHallSound = defineStore('hall-sound', () => {
  const devices = useDevices()
  const floor = useFloor()
  const running = ref(false)
  const heard = shallowRef<HeardSound | null>(null)
  const level = ref(0)
  const peak = ref(0)
  const volume = ref(readVolume())
  /** what the howl guard leaves of it */
  const guarded = ref(1)
  let ear: HallEar | null = null
  let guard = new HowlGuard()

  const processing = computed<SoundProcessing>(() => {
    const { sound, microphone } = devices.now.choice
    return sound?.[microphone ?? ''] ?? processingOf('speakers')
  })
  const preset = computed(() => presetOf(processing.value))
  /** of the loudspeakers, on the console alone */
  const gain = computed(() => (running.value ? volume.value * guarded.value : 1))
  const ducked = computed(() => guarded.value < 0.99)

  function patience(): number {
    if (floor.mine) return SPEAKER_PATIENCE_MS
    return processing.value.noiseSuppression ? Infinity : RAW_PATIENCE_MS
  }

  let heardAt = -Infinity
  let idle: ReturnType<typeof setInterval> | undefined

  function take(sound: HeardSound): void {
    heardAt = performance.now()
    heard.value = sound
    const now = onMeter(sound.db)
    level.value = Math.max(now, level.value * LEVEL_FALLS)
    peak.value = Math.max(onMeter(20 * Math.log10(sound.peak + 1e-6)), peak.value - PEAK_FALLS)
    guarded.value = guard.take(sound.howling, performance.now())
  }

  function listen(track: MediaStreamTrack | null): void {
    ear?.stop()
    ear = track ? new HallEar(track, take, patience) : null
    if (!track) {
      heard.value = null
      level.value = peak.value = 0
    }
  }

  watch([() => devices.now.microphone.track, running], ([track, on]) => listen(on ? track : null))

  function start(): void {
    guard = new HowlGuard()
    guarded.value = 1
    running.value = true
    clearInterval(idle)
    idle = setInterval(hush, IDLE_MS)
  }

  function stop(): void {
    running.value = false
    clearInterval(idle)
  }

  /** The microphone is shut: nothing of it is heard, so nothing can be wrong with it. */
  function hush(): void {
    if (performance.now() - heardAt < IDLE_MS) return
    heard.value = null
    level.value = peak.value = 0
    guarded.value = guard.take(false, performance.now())
  }

  function setVolume(next: number): void {
    volume.value = Math.min(1, Math.max(0, next))
    guard.release()
    try {
      window.localStorage.setItem(VOLUME_KEY, String(volume.value))
    } catch {
      // Lasts as long as the page then.
    }
  }

  const choose = (next: SoundPreset): Promise<void> => devices.process(processingOf(next))
  const set = (part: Partial<SoundProcessing>): Promise<void> => devices.process({ ...processing.value, ...part })

  return { heard, level, peak, volume, gain, ducked, processing, preset, start, stop, setVolume, choose, set }
})
