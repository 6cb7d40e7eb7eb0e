/** Stills of the venues that can be seen: taken one after the other while the place is open and the page is looked at. */
import { onBeforeUnmount, onMounted, shallowRef, watch, type Ref } from 'vue'
import { closeSession } from '@/api/whep'
import { VenueStills } from '@/rtc/venue-stills'
import { useSession } from '@/stores/session'
import { grabPicture } from './grab-picture'
import { usePlay } from './use-play'

export interface Still {
  picture: ImageBitmap
  atMs: number
}

/** pixels; a row's picture is 10 rem wide */
const HEIGHT = 180

/** By participant. A picture of somebody who is gone is not kept. */
export function useStills(wanted: () => readonly string[], off: Readonly<Ref<boolean>>): Readonly<Ref<ReadonlyMap<string, Still>>> {
  const session = useSession()
  const play = usePlay()
  const stills = shallowRef<ReadonlyMap<string, Still>>(new Map())
  const taker = new VenueStills({ createPeer: () => new RTCPeerConnection(), play: (target, offer) => play(target, offer, HEIGHT), end: (address) => closeSession(session.token, address), grab: grabPicture })

  taker.on('still', ({ id, picture, atMs }) => put(id, { picture, atMs }))
  taker.on('none', (id) => put(id, null))

  function put(id: string, still: Still | null): void {
    const next = new Map(stills.value)
    next.get(id)?.picture.close()
    if (still) next.set(id, still)
    else next.delete(id)
    stills.value = next
  }

  const look = (): void => (document.hidden || off.value ? taker.stop() : taker.start())
  watch(
    () => wanted().join(' '),
    () => {
      const ids = wanted()
      for (const id of stills.value.keys()) if (!ids.includes(id)) put(id, null)
      taker.show(ids)
    },
    { immediate: true },
  )
  watch(off, look)
  onMounted(() => {
    look()
    document.addEventListener('visibilitychange', look)
  })
  onBeforeUnmount(() => {
    document.removeEventListener('visibilitychange', look)
    taker.stop()
    for (const each of stills.value.values()) each.picture.close()
  })
  return stills
}
