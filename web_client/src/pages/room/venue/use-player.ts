/** A picture that is received as any player receives it (WHEP): the program, or one's own as the others get it. */
import { onBeforeUnmount, ref, shallowRef, watch, type Ref } from 'vue'
import { readResume } from '@/api/keepsake'
import { closeSession, play } from '@/api/whep'
import { ProgramPreview } from '@/rtc/program-preview'
import { useCall } from '@/stores/call'
import { useSession } from '@/stores/session'

const RETURN_HEIGHT = 360

export interface Player {
  picture: Ref<MediaStream | null>
  /** pictures a second; null before they were counted */
  rate: Ref<number | null>
}

/** `target`: a participant's id or `program`; null while nothing is to be played. */
export function usePlayer(target: () => string | null): Player {
  const call = useCall()
  const session = useSession()
  const picture = shallowRef<MediaStream | null>(null)
  const rate = ref<number | null>(null)
  let preview: ProgramPreview | null = null

  function stop(): void {
    preview?.stop()
    preview = null
    picture.value = null
    rate.value = null
  }

  watch(
    target,
    (id) => {
      stop()
      if (id === null) return
      const next = new ProgramPreview({
        createPeer: () => new RTCPeerConnection({ iceServers: call.session?.servers ?? [], bundlePolicy: 'max-bundle' }),
        // Looking at oneself must not be a reason to send a larger picture than anybody else looks at.
        play: (offer) => play(session.token, session.cid, id, offer, id === 'program' ? undefined : RETURN_HEIGHT, readResume(session.cid)),
        end: (address) => closeSession(session.token, address),
      })
      next.on('picture', (stream) => {
        picture.value = stream
        if (!stream) rate.value = null
      })
      next.on('rate', (now) => (rate.value = now))
      preview = next
      next.start()
    },
    { immediate: true },
  )
  onBeforeUnmount(stop)

  return { picture, rate }
}
