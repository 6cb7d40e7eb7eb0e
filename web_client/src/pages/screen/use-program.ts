/** The program's picture on a big screen: received while there may be one, opened anew when it does not come back by itself. */
import { computed, onBeforeUnmount, ref, shallowRef, watch } from 'vue'
import { closeSession, playProgram } from '@/api/whep'
import { ProgramPreview } from '@/rtc/program-preview'
import { useBigScreen } from '@/stores/big-screen'
import { useRoom } from '@/stores/room'

/** A program that stands longer while the line is good is made no longer. */
const GONE_MS = 10_000
/** After new transports of the room those of the program are most likely dead, too. */
const REOPEN_MS = 1200

export function useProgram() {
  const screen = useBigScreen()
  const room = useRoom()
  const picture = shallowRef<MediaStream | null>(null)
  const moving = ref(false)
  const preview = new ProgramPreview({
    createPeer: () => new RTCPeerConnection({ bundlePolicy: 'max-bundle' }),
    play: (offer) => playProgram(screen.token(), screen.cid, offer, screen.resume()),
    end: (address) => closeSession(screen.token(), address),
  })
  preview.on('picture', (now) => (picture.value = now))

  const made = computed(() => ['live', 'rehearsal'].includes(room.state?.consultation.status ?? ''))
  watch(made, (is) => (is ? preview.start() : preview.stop()), { immediate: true })

  let reopen: ReturnType<typeof setTimeout> | undefined
  watch(
    () => screen.rebuilt,
    () => {
      clearTimeout(reopen)
      reopen = setTimeout(() => {
        if (moving.value || !made.value) return
        preview.stop()
        preview.start()
      }, REOPEN_MS)
    },
  )

  let gone: ReturnType<typeof setTimeout> | undefined
  watch([moving, made, () => screen.lost], ([comes, may, lost]) => {
    clearTimeout(gone)
    if (comes) screen.programSeen = true
    else if (!may) screen.programSeen = false
    else if (!lost && screen.programSeen) gone = setTimeout(() => (screen.programSeen = false), GONE_MS)
  })

  onBeforeUnmount(() => {
    clearTimeout(reopen)
    clearTimeout(gone)
    preview.stop()
  })
  return { picture, moving, made }
}
