/** Where on the desk one is: its places have addresses of their own under /desk/{cid}. */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { useRoom } from './room'
import { useSession } from './session'

export const PLACES = ['prepare', 'run', 'venues', 'comments', 'responses', 'minutes', 'record', 'attendance', 'inspector', 'trace'] as const
export type Place = (typeof PLACES)[number]

/** One of these rights opens the place. */
export const NEEDED: Record<Place, readonly string[]> = {
  prepare: ['consultation.edit', 'invitee.edit', 'venue.edit'],
  run: ['desk.join'],
  venues: ['venue.watch'],
  comments: ['comment.moderate'],
  responses: ['response.read'],
  minutes: ['transcript.read'],
  record: ['recording.read', 'broadcast.cut'],
  attendance: ['attendance.read'],
  inspector: ['room.inspect'],
  trace: ['audit.read'],
}

export function placeOf(path: string): Place {
  const last = path.split('/')[3] ?? ''
  return PLACES.find((each) => each !== 'run' && each === last) ?? 'run'
}

export const usePlace = defineStore('place', () => {
  const room = useRoom()
  const session = useSession()
  const at = ref(placeOf(window.location.pathname))

  const address = (place: Place): string => `/desk/${encodeURIComponent(session.cid)}${place === 'run' ? '' : `/${place}`}`

  function go(place: Place): void {
    if (place === at.value) return
    window.history.pushState(null, '', address(place) + window.location.search)
    at.value = place
    window.scrollTo(0, 0)
  }

  window.addEventListener('popstate', () => (at.value = placeOf(window.location.pathname)))

  const open = computed(() => PLACES.filter((place) => NEEDED[place].some((action) => room.can(action))))
  /** An address of a place that one may not open leads to the first that one may. */
  const shown = computed<Place | null>(() => (open.value.includes(at.value) ? at.value : (open.value[0] ?? null)))

  return { at, open, shown, address, go }
})
