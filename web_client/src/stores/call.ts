/** Being in a room: starts and ends the session and brings what it hears into the other stores. */
import { defineStore } from 'pinia'
import { markRaw, ref, shallowRef, watch } from 'vue'
import { keepResume, forgetResume, readResume } from '@/api/keepsake'
import type { Waiting } from '@/api/messages'
import { RoomSocket } from '@/api/room-socket'
import { openWire } from '@/api/wire'
import { exposeForSupport } from '@/rtc/debug'
import { RoomSession, type EndReason, type LinkState } from '@/rtc/room-session'
import type { RemoteTrack } from '@/rtc/subscribe-connection'
import { SoundOutput } from '@/rtc/sound-output'
import { WakeLock } from '@/rtc/wake-lock'
import { i18n } from '@/i18n'
import { useAllocation } from './allocation'
import { useCaptions } from './captions'
import { useClips } from './clips'
import { useDevices } from './devices'
import { useDucking } from './ducking'
import { useHallSound } from './hall-sound'
import { useLine } from './line'
import { useNotices } from './notices'
import { useOwnMedia } from './own-media'
import { useRoom } from './room'
import { useSession } from './session'
import { useSubscriptions } from './subscriptions'
import { useTurn } from './turn'
import { useVenue } from './venue'
import { useViewport } from './viewport'
import { useWishes } from './wishes'

export interface JoinChoice {
  cid: string
  token: string
  name: string
  microphone: boolean
  camera: boolean
  /** the microphone may be opened when one is given the floor */
  consent: boolean
}

/** From here on the sound of one's own hall is lower while somebody in it speaks by telephone. */
const DUCKED = 0.2
/** A door that does not answer sooner shows that it is being opened. */
const ARRIVAL_MS = 1500

/** Shorter breaks pass without a veil: it would only flicker. */
const VEIL_MS = 800

export const useCall = defineStore('call', () => {
  const { t } = i18n.global
  const clips = useClips()
  const captions = useCaptions()
  const room = useRoom()
  const line = useLine()
  const notices = useNotices()
  const subscriptions = useSubscriptions()
  const allocation = useAllocation()
  const wishes = useWishes()
  const session = shallowRef<RoomSession | null>(null)
  const link = ref<LinkState>('connecting')
  const veiled = ref(false)
  const ended = ref<EndReason | null>(null)
  const tracks = shallowRef<RemoteTrack[]>([])
  const soundBlocked = ref(false)
  /** before the door; null when there is none to wait at */
  const waiting = shallowRef<Waiting | null>(null)
  /** the room or the waiting room has answered, or takes its time */
  const arrived = ref(false)
  let arrival: ReturnType<typeof setTimeout> | undefined
  let last: JoinChoice | null = null
  let toldOfHall = false
  const ducking = useDucking()
  const hall = useHallSound()
  const volume = (): number => (ducking.name === null ? 1 : DUCKED) * hall.gain
  let sound: SoundOutput | null = null
  let veil: ReturnType<typeof setTimeout> | undefined
  const wake = new WakeLock()

  function join(choice: JoinChoice, takeOver = false): void {
    last = choice
    const own = useOwnMedia()
    const turn = useTurn()
    const devices = useDevices()
    const viewport = useViewport()
    const venue = useVenue()
    ended.value = null
    waiting.value = null
    arrived.value = false
    clearTimeout(arrival)
    arrival = setTimeout(() => (arrived.value = true), ARRIVAL_MS)
    link.value = 'connecting'
    tracks.value = []
    subscriptions.clear()
    allocation.clear()
    sound = new SoundOutput()
    sound.on('blocked', (blocked) => (soundBlocked.value = blocked))
    void sound.use(devices.now.choice.speaker)
    sound.turn(volume())
    const next = markRaw(
      new RoomSession({
        openSocket: (auth) => new RoomSocket(openWire(auth)),
        createPeer: (iceServers) => new RTCPeerConnection({ iceServers, bundlePolicy: 'max-bundle' }),
        token: choice.token,
        name: choice.name,
        takeOver,
        kind: viewport.device,
        readResume: () => readResume(choice.cid),
        keepResume: (resume) => keepResume(choice.cid, resume),
        absentAt: (id, now) => Math.max(wishes.sender.absentAt(id, now), allocation.absentAt(id, now)),
      }),
    )
    session.value = next
    line.use(next)
    turn.consent = choice.consent
    exposeForSupport(next)
    next.on('waiting', (place) => {
      waiting.value = place
      arrived.value = true
    })
    next.on('snapshot', (snapshot) => {
      room.take(snapshot)
      captions.take(snapshot)
      entered(snapshot.self.in_hall ?? false)
      venue.entered()
      wishes.sender.again()
    })
    next.on('rebuilt', () => {
      allocation.clear()
      wishes.sender.again()
    })
    next.on('event', (event) => {
      if (!room.apply(event)) void next.check()
      captions.told(event.name, event.payload)
      if (event.name === 'participant.mute') own.toldToMute(event.payload)
      else if (event.name === 'media.allocation') allocation.told(event.payload)
      else if (event.name === 'media.layers') own.toldLayers(event.payload)
      else if (event.name === 'subscription.changed') subscriptions.told(event.payload)
      else if (event.name === 'clips.updated') clips.told(event.payload.clips)
      else if (event.name === 'venue.taken_over') venue.relieved(event.payload.by)
      else if (event.name === 'floor.turn') turn.told(event.payload)
      else if (event.name === 'floor.warning') turn.warned()
      else if (event.name === 'floor.ended') turn.ended(event.payload)
    })
    next.on('link', linked)
    next.on('tracks', (mapped) => {
      tracks.value = mapped
      // In a hall the loudspeakers of the hall are heard; a telephone beside them would howl.
      const heard = room.inHall ? [] : mapped.filter((each) => each.track.kind === 'audio')
      sound?.set(new Map(heard.map((each) => [each.publicationId, each.track])))
    })
    next.on('ended', (reason) => {
      if (reason.kind === 'left' || reason.kind === 'removed') forgetResume(choice.cid)
      finish(reason)
    })
    if (venue.is) venue.join(next, choice)
    own.start(next, choice)
    next.start()
    wake.hold()
  }

  function entered(inHall: boolean): void {
    waiting.value = null
    arrived.value = true
    if (!inHall || toldOfHall) return
    toldOfHall = true
    notices.show(t('hall.joined'), { detail: t('hall.joinedText'), forMs: 10_000 })
  }

  watch([() => ducking.name, () => hall.gain], () => sound?.turn(volume()))

  function linked(state: LinkState): void {
    const was = link.value
    link.value = state
    line.up = state === 'connected'
    clearTimeout(veil)
    if (state === 'connected') {
      if (veiled.value) notices.show(t('toast.returned'), { forMs: 3000 })
      if (was !== 'connecting') notices.say(t('toast.returned'))
      veiled.value = false
    } else if (state === 'connecting') {
      veiled.value = false
    } else if (state === 'lost') {
      veiled.value = true
      notices.say(`${t('link.lost')}。${t('link.lostText')}`, true)
    } else if (state === 'reconnecting') {
      veil = setTimeout(() => {
        veiled.value = true
        notices.say(`${t('link.reconnecting')}。${t('link.reconnectingText')}`, true)
      }, VEIL_MS)
    }
  }

  function finish(reason: EndReason): void {
    clearTimeout(veil)
    clearTimeout(arrival)
    veiled.value = false
    waiting.value = null
    useOwnMedia().stop()
    sound?.close()
    sound = null
    soundBlocked.value = false
    wake.release()
    tracks.value = []
    session.value = null
    wishes.sender.stop()
    allocation.clear()
    line.use(null)
    captions.clear()
    ended.value = reason
  }

  function leave(): void {
    session.value?.leave()
  }

  /** Once more as before; the device that has the place now gives it up. */
  async function takeOver(): Promise<void> {
    if (!last) return
    const devices = useDevices()
    ended.value = null
    room.clear()
    if (useSession().sends) await devices.openBoth()
    join(last, true)
  }

  return {
    session,
    link,
    waiting,
    arrived,
    veiled,
    ended,
    tracks,
    soundBlocked,
    join,
    leave,
    takeOver,
    retryNow: () => session.value?.retryNow(),
    playSound: () => sound?.play(),
    useSpeaker: (id: string | null) => sound?.use(id),
  }
})
