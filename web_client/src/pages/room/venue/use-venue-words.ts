/** Words that several parts of the console share: what the other end is called, and the sentences about the floor. */
import { computed, type ComputedRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { timeText } from '@/stores/floor-time'
import { useFloor } from '@/stores/floor'
import { useOwnMedia } from '@/stores/own-media'
import { useRoom } from '@/stores/room'
import { useVenue } from '@/stores/venue'

/** The main venue is looked at by the branches, and looks at them. */
export function useHallName(): ComputedRef<string> {
  const { t } = useI18n()
  const venue = useVenue()
  return computed(() => t(venue.name.includes('主会场') ? 'venue.otherHalls' : 'venue.main'))
}

/** Whether we are seen and heard, who speaks, and where this venue stands in the queue. */
export function useFloorSentence(): ComputedRef<string> {
  const { t } = useI18n()
  const floor = useFloor()
  const own = useOwnMedia()
  const room = useRoom()
  const hall = useHallName()

  const speaker = (): string => {
    const { holder } = room
    if (!holder) return t('venue.nobodySpeaks')
    if (floor.mine) return floor.time && holder.duration_ms !== null ? t('venue.left', { time: timeText(floor.time) }) : ''
    return holder.venue && holder.venue !== holder.name ? t('venue.speaksWhere', { name: holder.name, venue: holder.venue }) : t('venue.speaksNow', { name: holder.name })
  }

  return computed(() => {
    const place = room.me?.hand ?? null
    const parts = [t(own.heard ? 'venue.heard' : 'venue.unheard', { hall: hall.value }), speaker(), place === null ? '' : t('venue.place', { n: place })]
    return parts.join('')
  })
}
