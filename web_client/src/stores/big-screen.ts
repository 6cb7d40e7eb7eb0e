/** A big screen: enters the meeting, keeps in it, and brings what it hears into the other stores. */
import { defineStore } from 'pinia'
import { computed, markRaw, ref, shallowRef, watch } from 'vue'
import { RoomSocket } from '@/api/room-socket'
import { fetchSession, type SessionInfo } from '@/api/session'
import { openWire } from '@/api/wire'
import { ScreenDoor } from '@/pages/screen/screen-door'
import { ScreenLife, type ScreenPhase } from '@/pages/screen/screen-life'
import { shownPerson } from '@/pages/screen/shown-person'
import { audioContext } from '@/rtc/audio-context'
import { exposeForSupport } from '@/rtc/debug'
import { RoomSession, type LinkState } from '@/rtc/room-session'
import { SoundOutput } from '@/rtc/sound-output'
import type { RemoteTrack } from '@/rtc/subscribe-connection'
import { WakeLock } from '@/rtc/wake-lock'
import { useCaptions } from './captions'
import { useLine } from './line'
import { useRoom } from './room'

export type ScreenView = 'hall' | 'confidence'

/** Shorter breaks pass without a word: it would only flicker. */
const VEIL_MS = 800
/** An active speaker takes the picture after this long, so that a cough does not. */
const STAGE_MS = 1500
const WISH_AGAIN_MS = 3000
/** A browser that lets sound be played says so within this time. */
const SOUND_ASK_MS = 500

export const useBigScreen = defineStore('big-screen', () => {
  const captions = useCaptions()
  const line = useLine()
  const room = useRoom()
  const [, , name] = window.location.pathname.split('/')
  const cid = decodeURIComponent(name ?? '')
  const view: ScreenView = new URLSearchParams(window.location.search).get('view') === 'confidence' ? 'confidence' : 'hall'
  const door = markRaw(new ScreenDoor(cid))

  const phase = shallowRef<ScreenPhase>({ kind: 'opening' })
  const info = shallowRef<SessionInfo | null>(null)
  const link = ref<LinkState>('connecting')
  /** what is seen is of a moment ago, and nothing newer comes */
  const lost = ref(false)
  const tracks = shallowRef<RemoteTrack[]>([])
  const soundBlocked = ref(false)
  /** one more with each set of new transports */
  const rebuilt = ref(0)
  const session = shallowRef<RoomSession | null>(null)
  let sound: SoundOutput | null = null
  let veil: ReturnType<typeof setTimeout> | undefined
  const wake = new WakeLock()

  const life = markRaw(new ScreenLife({ door, look: fetchSession, enter }))

  function start(): void {
    life.on('phase', (now) => (phase.value = now))
    life.on('info', (now) => (info.value = now))
    wake.hold()
    if (view === 'hall') askForSound()
    life.start()
  }

  function enter(token: string): void {
    const own = markRaw(
      new RoomSession({
        openSocket: (auth) => new RoomSocket(openWire(auth)),
        createPeer: (iceServers) => new RTCPeerConnection({ iceServers, bundlePolicy: 'max-bundle' }),
        token,
        name: '',
        kind: 'wall',
        screen: true,
        readResume: () => door.readResume(),
        keepResume: (resume) => door.keepResume(resume),
      }),
    )
    session.value = own
    line.use(own)
    exposeForSupport(own)
    sound ??= view === 'hall' ? listen() : null
    own.on('snapshot', (snapshot) => {
      room.take(snapshot)
      captions.take(snapshot)
      life.inside()
      again()
    })
    own.on('event', (event) => {
      if (!room.apply(event)) void own.check()
      captions.told(event.name, event.payload)
    })
    own.on('rebuilt', () => {
      rebuilt.value += 1
      again()
    })
    own.on('link', linked)
    own.on('tracks', (mapped) => {
      tracks.value = mapped
      const heard = mapped.filter((each) => each.track.kind === 'audio')
      sound?.set(new Map(heard.map((each) => [each.publicationId, each.track])))
    })
    own.on('ended', (reason) => {
      line.use(null)
      session.value = null
      lost.value = phase.value.kind === 'inside'
      life.over(reason)
    })
    own.start()
  }

  function linked(state: LinkState): void {
    link.value = state
    line.up = state === 'connected'
    clearTimeout(veil)
    if (state === 'connected') lost.value = false
    else if (state !== 'connecting') veil = setTimeout(() => (lost.value = true), VEIL_MS)
  }

  // ── sound ────────────────────────────────────────────────────────────────────────────────────

  function listen(): SoundOutput {
    const made = new SoundOutput()
    made.on('blocked', (blocked) => (soundBlocked.value = blocked || soundBlocked.value))
    return made
  }

  /** Whether the browser lets sound be played is found out before anybody speaks: then it would be too late. */
  function askForSound(): void {
    const context = audioContext()
    if (!context) return
    setTimeout(() => (soundBlocked.value ||= context.state === 'suspended'), SOUND_ASK_MS)
    context.addEventListener('statechange', () => {
      if (context.state === 'running') void playSound()
    })
  }

  async function playSound(): Promise<void> {
    soundBlocked.value = false
    await Promise.all([audioContext()?.resume(), sound?.play()])
  }

  // ── whom it shows where no program is made ──────────────────────────────────────────────────────

  const speaker = ref<string | null>(null)
  let change: ReturnType<typeof setTimeout> | undefined
  const loudest = computed(() => room.state?.speakers[0]?.participant_id ?? null)
  watch(loudest, (id) => {
    clearTimeout(change)
    if (id === null || id === speaker.value) return
    change = setTimeout(() => (speaker.value = id), speaker.value === null ? 0 : STAGE_MS)
  })
  const person = computed(() => shownPerson(room.participants, room.holder?.participant_id ?? null, speaker.value))
  /** the program fills the screen, so that nobody's own picture is asked for */
  const programSeen = ref(false)

  const wanted = computed(() => {
    const publication = view === 'hall' && !programSeen.value ? person.value?.publication : null
    return publication?.id ?? null
  })
  const track = computed(() => tracks.value.find((each) => each.publicationId === wanted.value)?.track ?? null)

  let wishing: ReturnType<typeof setTimeout> | undefined
  /** Tells the server what is shown: one picture as large as the screen, or none. */
  function again(): void {
    clearTimeout(wishing)
    const { devicePixelRatio: ratio, innerWidth, innerHeight } = window
    const pixels = (length: number): number => Math.max(8, Math.min(16_384, Math.round(length * Math.min(ratio, 2))))
    const items = wanted.value === null ? [] : [{ publication_id: wanted.value, width: pixels(innerWidth), height: pixels(innerHeight), priority: 1 }]
    session.value?.request('media.wish', { items }).catch(() => {
      wishing = setTimeout(again, WISH_AGAIN_MS)
    })
  }
  watch(wanted, again)

  return {
    cid,
    view,
    phase,
    info,
    link,
    lost,
    rebuilt,
    person,
    track,
    programSeen,
    soundBlocked,
    token: () => door.current,
    resume: () => door.readResume(),
    start,
    playSound,
  }
})
