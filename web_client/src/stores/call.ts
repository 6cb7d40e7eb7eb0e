/** Being in a room: starts and ends the session and brings what it hears into the other stores. */
import { defineStore } from 'pinia'
import { markRaw, ref, shallowRef } from 'vue'
import { keepResume, forgetResume, readResume } from '@/api/keepsake'
import type { RequestName, Requests } from '@/api/messages'
import { RequestError, RoomSocket } from '@/api/room-socket'
import { openWire } from '@/api/wire'
import { exposeForSupport } from '@/rtc/debug'
import { RoomSession, type EndReason, type LinkState } from '@/rtc/room-session'
import type { RemoteTrack } from '@/rtc/subscribe-connection'
import { SoundOutput } from '@/rtc/sound-output'
import { WakeLock } from '@/rtc/wake-lock'
import { i18n } from '@/i18n'
import { useDevices } from './devices'
import { useNotices } from './notices'
import { useOwnMedia } from './own-media'
import { useRoom } from './room'
import { useSubscriptions } from './subscriptions'
import { useViewport } from './viewport'

export interface JoinChoice {
  cid: string
  token: string
  name: string
  microphone: boolean
  camera: boolean
}

/** Shorter breaks pass without a veil: it would only flicker. */
const VEIL_MS = 800

export const useCall = defineStore('call', () => {
  const { t } = i18n.global
  const room = useRoom()
  const notices = useNotices()
  const subscriptions = useSubscriptions()
  const session = shallowRef<RoomSession | null>(null)
  const link = ref<LinkState>('connecting')
  const veiled = ref(false)
  const ended = ref<EndReason | null>(null)
  const tracks = shallowRef<RemoteTrack[]>([])
  const soundBlocked = ref(false)
  let sound: SoundOutput | null = null
  let veil: ReturnType<typeof setTimeout> | undefined
  const wake = new WakeLock()

  function join(choice: JoinChoice): void {
    const own = useOwnMedia()
    const devices = useDevices()
    const viewport = useViewport()
    ended.value = null
    link.value = 'connecting'
    tracks.value = []
    subscriptions.clear()
    sound = new SoundOutput()
    sound.on('blocked', (blocked) => (soundBlocked.value = blocked))
    void sound.use(devices.now.choice.speaker)
    const next = markRaw(
      new RoomSession({
        openSocket: (auth) => new RoomSocket(openWire(auth)),
        createPeer: (iceServers) => new RTCPeerConnection({ iceServers, bundlePolicy: 'max-bundle' }),
        token: choice.token,
        name: choice.name,
        kind: viewport.device,
        readResume: () => readResume(choice.cid),
        keepResume: (resume) => keepResume(choice.cid, resume),
      }),
    )
    session.value = next
    exposeForSupport(next)
    next.on('snapshot', (snapshot) => room.take(snapshot))
    next.on('event', (event) => {
      if (!room.apply(event)) void next.check()
      if (event.name === 'participant.mute') own.toldToMute(event.payload)
      if (event.name === 'subscription.changed') subscriptions.told(event.payload)
    })
    next.on('link', linked)
    next.on('tracks', (mapped) => {
      tracks.value = mapped
      const heard = mapped.filter((each) => each.track.kind === 'audio')
      sound?.set(new Map(heard.map((each) => [each.publicationId, each.track])))
    })
    next.on('ended', (reason) => {
      if (reason.kind === 'left' || reason.kind === 'removed') forgetResume(choice.cid)
      finish(reason)
    })
    own.start(next, choice)
    next.start()
    wake.hold()
  }

  function linked(state: LinkState): void {
    const was = link.value
    link.value = state
    clearTimeout(veil)
    if (state === 'connected') {
      if (veiled.value) notices.show(t('toast.returned'), { forMs: 3000 })
      if (was !== 'connecting') notices.say(t('toast.returned'))
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
    veiled.value = false
    useOwnMedia().stop()
    sound?.close()
    sound = null
    soundBlocked.value = false
    wake.release()
    tracks.value = []
    session.value = null
    ended.value = reason
  }

  function leave(): void {
    session.value?.leave()
  }

  /** Asks the server; a refusal is said in words. */
  async function ask<Name extends RequestName>(
    name: Name,
    payload: Requests[Name][0],
  ): Promise<Requests[Name][1] | null> {
    try {
      return (await session.value?.request(name, payload)) ?? null
    } catch (error) {
      notices.show(t(sentence(error)))
      return null
    }
  }

  return {
    session,
    link,
    veiled,
    ended,
    tracks,
    soundBlocked,
    join,
    leave,
    ask,
    retryNow: () => session.value?.retryNow(),
    playSound: () => sound?.play(),
    useSpeaker: (id: string | null) => sound?.use(id),
  }
})

function sentence(error: unknown): string {
  const code = error instanceof RequestError ? error.code : ''
  if (code === 'offline' || code === 'timeout') return 'toast.offline'
  if (code === 'forbidden') return 'toast.forbidden'
  if (code === 'hard_muted') return 'toast.locked'
  if (code === 'rate_limited') return 'toast.tooFast'
  return 'toast.failed'
}
