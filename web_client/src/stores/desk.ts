/** The chair's desk: its connection, the start and the end of the consultation, and how long each has spoken. */
import { defineStore } from 'pinia'
import { markRaw, ref, shallowRef, watch } from 'vue'
import { endConsultation, fetchSpeaking, startConsultation } from '@/api/consultations'
import { DeskSession } from '@/api/desk-session'
import { RoomSocket } from '@/api/room-socket'
import { openWire } from '@/api/wire'
import { i18n } from '@/i18n'
import type { LinkState } from '@/rtc/room-session'
import { useClips } from './clips'
import { useComments } from './comments'
import { useLine } from './line'
import { useNotices } from './notices'
import { useRoom } from './room'
import { useSession } from './session'
import { useSecondPass } from './second-pass'
import { useTranscript } from './transcript'
import { useTranscriptPresence } from './transcript-presence'
import { useVenueBoard } from './venue-board'
import { useVenueTalk } from './venue-talk'

export const useDesk = defineStore('desk', () => {
  const { t } = i18n.global
  const clips = useClips()
  const comments = useComments()
  const line = useLine()
  const notices = useNotices()
  const room = useRoom()
  const page = useSession()
  const transcript = useTranscript()
  const presence = useTranscriptPresence()
  const second = useSecondPass()
  const venueBoard = useVenueBoard()
  const venueTalk = useVenueTalk()
  const link = ref<LinkState>('connecting')
  const refusal = ref<string | null>(null)
  const busy = ref(false)
  const spoken = shallowRef(new Map<string, number>())
  let session: DeskSession | null = null

  function open(): void {
    if (!page.token || session) return
    refusal.value = null
    const next = markRaw(new DeskSession((auth) => new RoomSocket(openWire(auth, '/desk')), page.token))
    session = next
    line.use(next)
    next.on('snapshot', (snapshot) => room.take(snapshot))
    next.on('event', (event) => {
      if (event.name === 'comments.updated') comments.apply(event.payload)
      else if (event.name === 'transcript.changed') transcript.apply(event.payload)
      else if (event.name === 'transcript.editing') presence.apply(event.payload)
      else if (event.name === 'transcript.second_pass') second.apply(event.payload)
      else if (event.name === 'clips.updated') clips.told(event.payload.clips)
      else if (event.name === 'venue.health') venueBoard.apply(event.payload)
      else if (event.name === 'venue.message') venueTalk.arrived(event.payload.message)
      if (!room.apply(event)) void next.check()
    })
    next.on('link', linked)
    next.on('refused', (code) => {
      refusal.value = code
      session = null
      line.use(null)
    })
    next.start()
  }

  function linked(state: LinkState): void {
    if (state === 'connected' && link.value !== 'connecting') notices.show(t('toast.returned'), { forMs: 3000 })
    link.value = state
    line.up = state === 'connected'
  }

  /** How long each has spoken changes when the floor does. */
  watch(
    () => [room.holder?.participant_id, line.up] as const,
    async () => {
      if (!line.up || !page.token || !room.floor) return
      spoken.value = await fetchSpeaking(page.token, page.cid).catch(() => spoken.value)
    },
  )

  async function change(act: (token: string, cid: string) => Promise<void>): Promise<boolean> {
    if (!page.token || busy.value) return false
    busy.value = true
    const done = await line.attempt(() => act(page.token ?? '', page.cid))
    busy.value = false
    return done
  }

  return {
    link,
    refusal,
    busy,
    spoken,
    open,
    start: () => change(startConsultation),
    end: () => change(endConsultation),
    retryNow: () => session?.retryNow(),
  }
})
