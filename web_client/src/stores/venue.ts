/** A venue's console: who of its operators works it, and what the one sentence over it says. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import type { Participant } from '@/api/messages'
import type { RoomSession } from '@/rtc/room-session'
import { i18n } from '@/i18n'
import { useDevices } from './devices'
import { useLine } from './line'
import { useNotices } from './notices'
import { useOwnMedia } from './own-media'
import { useRoom } from './room'
import { useSession } from './session'
import { useVenueCameras } from './venue-cameras'

export const useVenue = defineStore('venue', () => {
  const { t } = i18n.global
  const cameras = useVenueCameras()
  const devices = useDevices()
  const line = useLine()
  const notices = useNotices()
  const own = useOwnMedia()
  const room = useRoom()
  const session = useSession()

  /** whoever holds a venue's link works a console */
  const is = computed(() => (room.state?.self.role ?? session.info?.role) === 'venue_operator')
  /** the operator looks at the room as everybody sees it */
  const inRoom = ref(new URLSearchParams(window.location.search).get('view') === 'room')
  const shown = computed(() => is.value && !inRoom.value)
  const name = computed(() => room.me?.venue ?? session.info?.venue ?? room.me?.name ?? '')

  /** another page of the same venue was there first; null once it is decided who works it */
  const asked = ref<string | null>(null)
  const helping = ref(false)
  const taking = ref(false)
  /** what comes back of our picture has not been fluent for a while */
  const slow = ref(false)
  /** what was chosen before entering, until it may be done */
  const wanted = shallowRef({ microphone: false, camera: true })
  let decided = false

  const others = computed(() =>
    room.others.filter((each) => each.role === 'venue_operator' && each.kind === 'client' && each.venue !== null && each.venue === room.me?.venue && each.connected),
  )
  const sends = (each: Participant): boolean => each.publications.length > 0 && (each.camera || each.microphone)
  const sender = computed(() => others.value.find(sends) ?? null)

  /** Before entering, so that nothing is sent before it is known who works the venue. */
  function join(next: RoomSession, choice: { microphone: boolean; camera: boolean }): void {
    decided = false
    asked.value = null
    helping.value = false
    wanted.value = { microphone: choice.microphone, camera: choice.camera }
    own.several = { get seen() { return cameras.seen }, picture: cameras.picture, toggle: cameras.toggle, stop: cameras.stop }
    cameras.start(next, devices.now.camera.track?.getSettings().deviceId ?? devices.now.choice.camera, false)
  }

  /** The first snapshot says who else is here. */
  function entered(): void {
    if (decided || !is.value) return
    decided = true
    if (sender.value) {
      asked.value = sender.value.name
      help()
    } else {
      cameras.pause(!wanted.value.camera)
    }
  }

  function help(): void {
    helping.value = true
    cameras.pause(true)
    if (own.microphone) void own.setMicrophone(false)
  }

  async function takeOver(): Promise<void> {
    taking.value = true
    const done = await line.ask('venue.take_over', {})
    taking.value = false
    if (!done) return
    asked.value = null
    helping.value = false
    cameras.pause(false)
    if (wanted.value.microphone) await own.setMicrophone(true)
  }

  function stay(): void {
    asked.value = null
  }

  /** Somebody else of this venue has taken over. */
  function relieved(by: string): void {
    wanted.value = { microphone: own.microphone, camera: true }
    help()
    notices.show(t('venue.relieved', { name: by }), { detail: t('venue.relievedText'), forMs: 10_000 })
    notices.say(`${t('venue.relieved', { name: by })}。${t('venue.relievedText')}`, true)
  }

  // The other one has gone: there is nothing to decide any more.
  watch(sender, (now) => {
    if (!now) asked.value = null
  })

  return { is, inRoom, shown, name, asked, helping, taking, slow, others, sender, join, entered, takeOver, stay, relieved }
})
