/** The sound of one segment's own track: played, moved about in, and followed by that of the next one. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { ProblemError } from '@/api/http'
import { transcripts, type Segment } from '@/api/transcript'
import { useActs } from './acts'
import { useSession } from './session'
import { useTranscript } from './transcript'

/** the file begins so much before the segment, unless it says otherwise */
const LEAD_MS = 300
const KEPT = 8
const BACK_MS = 3000
const PEAKS = 160

interface Clip {
  id: string
  startMs: number
  endMs: number
  /** program time of its beginning */
  fromMs: number
  url: string
  blob: Blob
}

export const useTranscriptSound = defineStore('transcript-sound', () => {
  const acts = useActs()
  const session = useSession()
  const transcript = useTranscript()
  const segmentId = ref<string | null>(null)
  const playing = ref(false)
  const loading = ref(false)
  /** why there is no sound: nothing_recorded, offline, … */
  const missing = ref<string | null>(null)
  const programMs = ref<number | null>(null)
  const speed = ref(1)
  /** goes on with the next segment by itself */
  const follows = ref(false)
  /** of the clip that is shown, 0 to 1 */
  const peaks = shallowRef<readonly number[]>([])
  const clips = new Map<string, Clip>()
  const coming = new Map<string, Promise<Clip | null>>()
  let shown: Clip | null = null
  let audio: HTMLAudioElement | null = null
  let frame = 0
  let turn = 0
  let arrived: ((id: string) => void) | null = null

  const segment = computed(() => transcript.byId(segmentId.value))
  /** 0 to 1, of the segment that is shown */
  const part = computed(() => {
    const now = segment.value
    if (!now || programMs.value === null) return 0
    return Math.min(1, Math.max(0, (programMs.value - now.start_ms) / Math.max(1, now.end_ms - now.start_ms)))
  })

  function element(): HTMLAudioElement {
    if (audio) return audio
    audio = new Audio()
    audio.preload = 'auto'
    audio.addEventListener('play', () => {
      playing.value = true
      cancelAnimationFrame(frame)
      tick()
    })
    audio.addEventListener('pause', () => (playing.value = false))
    audio.addEventListener('ended', () => void ended())
    return audio
  }

  function tick(): void {
    if (shown && audio) programMs.value = shown.fromMs + audio.currentTime * 1000
    if (playing.value) frame = requestAnimationFrame(tick)
  }

  async function fetchClip(of: Segment): Promise<Clip | null> {
    const known = clips.get(of.id)
    if (known && known.startMs === of.start_ms && known.endMs === of.end_ms) return known
    const before = coming.get(of.id)
    if (before) return before
    const asked = acts
      .ask((http) => transcripts(http, session.cid).sound(of.id))
      .then(({ blob, fromMs }) => keep({ id: of.id, startMs: of.start_ms, endMs: of.end_ms, fromMs: fromMs ?? Math.max(0, of.start_ms - LEAD_MS), blob, url: URL.createObjectURL(blob) }))
      .finally(() => coming.delete(of.id))
    coming.set(of.id, asked)
    return asked
  }

  function keep(clip: Clip): Clip {
    drop(clip.id)
    clips.set(clip.id, clip)
    for (const [id, each] of clips) {
      if (clips.size <= KEPT) break
      if (each !== shown && each !== clip) drop(id)
    }
    return clip
  }

  function drop(id: string): void {
    const old = clips.get(id)
    if (old) URL.revokeObjectURL(old.url)
    clips.delete(id)
  }

  /** Have a segment's sound ready, at its beginning or at a time; false where there is none. */
  async function load(id: string, atMs?: number): Promise<boolean> {
    const of = transcript.byId(id)
    if (!of) return false
    const now = (turn += 1)
    segmentId.value = id
    programMs.value = atMs ?? of.start_ms
    missing.value = null
    if (shown?.id !== id || shown.startMs !== of.start_ms) {
      audio?.pause()
      shown = null
      peaks.value = []
      loading.value = true
      try {
        const clip = await fetchClip(of)
        if (now !== turn) return false
        shown = clip
      } catch (error) {
        if (now !== turn) return false
        missing.value = error instanceof ProblemError ? error.code : 'failed'
        return false
      } finally {
        if (now === turn) loading.value = false
      }
      if (shown) {
        element().src = shown.url
        void draw(shown)
      }
    }
    if (!shown) return false
    const sound = element()
    sound.playbackRate = speed.value
    sound.defaultPlaybackRate = speed.value
    sound.currentTime = Math.max(0, ((atMs ?? of.start_ms) - shown.fromMs) / 1000)
    return true
  }

  async function play(id: string, atMs?: number): Promise<void> {
    if (!(await load(id, atMs))) return
    await element().play().catch(() => undefined)
    // The next one is wanted as soon as this one ends.
    const next = transcript.at(transcript.placeOf(id) + 1)
    if (next && follows.value) void fetchClip(next).catch(() => undefined)
  }

  const pause = (): void => audio?.pause()

  /** Play or pause; begins with this segment where another one, or none, was heard. */
  async function toggle(id: string, atMs?: number): Promise<void> {
    if (playing.value && segmentId.value === id) pause()
    else if (segmentId.value === id && shown && audio && !audio.ended) await audio.play().catch(() => undefined)
    else await play(id, atMs)
  }

  function seek(atMs: number): void {
    if (!shown || !audio) return
    audio.currentTime = Math.max(0, (atMs - shown.fromMs) / 1000)
    programMs.value = atMs
  }

  function back(): void {
    if (programMs.value !== null && segment.value) seek(Math.max(segment.value.start_ms, programMs.value - BACK_MS))
  }

  function setSpeed(chosen: number): void {
    speed.value = chosen
    if (audio) audio.playbackRate = audio.defaultPlaybackRate = chosen
  }

  async function ended(): Promise<void> {
    playing.value = false
    if (!follows.value || !segmentId.value) return
    for (let place = transcript.placeOf(segmentId.value) + 1; ; place += 1) {
      const next = transcript.at(place)
      if (!next || !follows.value) return
      await play(next.id)
      if (segmentId.value !== next.id) return
      if (!missing.value) {
        arrived?.(next.id)
        return
      }
    }
  }

  /** Called with each segment that follows by itself. */
  function onFollow(call: ((id: string) => void) | null): void {
    arrived = call
  }

  /** Nothing hangs on the picture of the sound: where it cannot be decoded there is none. */
  async function draw(clip: Clip): Promise<void> {
    if (typeof OfflineAudioContext === 'undefined') return
    try {
      const sound = await new OfflineAudioContext(1, 1, 8000).decodeAudioData(await clip.blob.arrayBuffer())
      if (shown !== clip) return
      const samples = sound.getChannelData(0)
      const step = Math.max(1, Math.floor(samples.length / PEAKS))
      const found = Array.from({ length: Math.min(PEAKS, Math.floor(samples.length / step)) }, (_, at) => {
        let most = 0
        for (let each = at * step; each < (at + 1) * step; each += 4) most = Math.max(most, Math.abs(samples[each] ?? 0))
        return most
      })
      const loudest = Math.max(0.05, ...found)
      peaks.value = found.map((each) => each / loudest)
    } catch (error) {
      if (!(error instanceof DOMException)) throw error
    }
  }

  function stop(): void {
    turn += 1
    audio?.pause()
    audio?.removeAttribute('src')
    shown = null
    for (const id of [...clips.keys()]) drop(id)
    segmentId.value = programMs.value = missing.value = null
    loading.value = playing.value = follows.value = false
    peaks.value = []
    arrived = null
  }

  return { segmentId, segment, playing, loading, missing, programMs, part, speed, follows, peaks, load, play, pause, toggle, seek, back, setSpeed, onFollow, stop }
})
