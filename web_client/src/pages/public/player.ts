/** What the player does: opens the playback, starts it with sound if it may, muted if it must, and says what is watched now. */
import { onScopeDispose, ref, watch, type Ref } from 'vue'
import { means, open, type Playback, type Quality, type Source } from './playback'

const TICK_MS = 250
const STILL_WAITING_MS = 600

export interface Player {
  how: 'hls' | 'native' | null
  quality: Ref<Quality>
  muted: Ref<boolean>
  /** Playing was refused even without sound: somebody has to press. */
  needsTap: Ref<boolean>
  playing: Ref<boolean>
  /** Nothing comes; said only when it lasts. */
  waiting: Ref<boolean>
  trouble: Ref<boolean>
  wallMs: Ref<number | null>
  mediaMs: Ref<number>
  setMuted: (muted: boolean) => void
  play: () => Promise<void>
  pause: () => void
  seek: (mediaMs: number) => void
  setSpeed: (speed: number) => void
}

/** `source` null: nothing is to be seen or heard; what was loaded is thrown away at once. */
export function usePlayer(video: Ref<HTMLVideoElement | HTMLAudioElement | null>, source: Ref<Source | null>, first: Quality = 'auto'): Player {
  const how = means()
  const quality = ref<Quality>(first)
  const muted = ref(false)
  const needsTap = ref(false)
  const playing = ref(false)
  const waiting = ref(false)
  const trouble = ref(false)
  const wallMs = ref<number | null>(null)
  const mediaMs = ref(0)
  let speed = 1
  let playback: Playback | null = null
  let opened = 0
  let waitingTimer: ReturnType<typeof setTimeout> | undefined

  function close(): void {
    opened += 1
    playback?.close()
    playback = null
    playing.value = waiting.value = trouble.value = needsTap.value = false
    wallMs.value = null
  }

  async function start(element: HTMLMediaElement, wanted: Source): Promise<void> {
    if (!how) return
    const turn = ++opened
    const made = await open(how, element as HTMLVideoElement, wanted, quality.value, (found) => (trouble.value = found !== null))
    if (turn !== opened) {
      made.close()
      return
    }
    playback = made
    element.playbackRate = speed
    // A replay waits for its viewer; a livestream is what one came for.
    if (wanted.live) await play()
  }

  async function play(): Promise<void> {
    const element = video.value
    if (!element) return
    needsTap.value = false
    element.muted = muted.value
    try {
      await element.play()
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'NotAllowedError') return
      if (element.muted) {
        needsTap.value = true
        return
      }
      muted.value = true
      await play()
    }
  }

  function setMuted(silent: boolean): void {
    muted.value = silent
    if (!video.value) return
    video.value.muted = silent
    if (!silent && video.value.paused) void play()
  }

  function showWaiting(): void {
    clearTimeout(waitingTimer)
    waitingTimer = setTimeout(() => (waiting.value = true), STILL_WAITING_MS)
  }

  const heard: Record<string, () => void> = {
    playing: () => {
      clearTimeout(waitingTimer)
      waiting.value = false
      playing.value = true
    },
    pause: () => (playing.value = false),
    ended: () => (playing.value = false),
    waiting: showWaiting,
    // Whoever loads anew after an outage leaves the element paused, without a word.
    emptied: () => {
      if (playing.value) void play()
    },
    volumechange: () => (muted.value = video.value?.muted ?? muted.value),
    loadedmetadata: () => {
      if (video.value) video.value.playbackRate = speed
    },
  }

  watch(
    [video, () => source.value?.url ?? null, () => source.value?.live ?? false],
    ([element, url], before) => {
      const old = before?.[0]
      if (old && old !== element) for (const [name, call] of Object.entries(heard)) old.removeEventListener(name, call)
      if (element && old !== element) for (const [name, call] of Object.entries(heard)) element.addEventListener(name, call)
      close()
      if (element && url && source.value) void start(element, source.value)
    },
    { immediate: true, flush: 'post' },
  )
  watch(quality, (chosen) => {
    playback?.choose(chosen)
    if (playing.value) void play()
  })

  const tick = setInterval(() => {
    wallMs.value = playback?.wallMs() ?? null
    mediaMs.value = (video.value?.currentTime ?? 0) * 1000
  }, TICK_MS)
  onScopeDispose(() => {
    clearInterval(tick)
    clearTimeout(waitingTimer)
    close()
  })

  return {
    how,
    quality,
    muted,
    needsTap,
    playing,
    waiting,
    trouble,
    wallMs,
    mediaMs,
    setMuted,
    play,
    pause: () => video.value?.pause(),
    seek: (ms) => {
      if (video.value) video.value.currentTime = ms / 1000
      mediaMs.value = ms
    },
    setSpeed: (chosen) => {
      speed = chosen
      if (video.value) video.value.playbackRate = chosen
    },
  }
}
