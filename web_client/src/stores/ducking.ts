/** Whether this hall's own loudspeakers have to be lower: somebody in the hall has the floor with a telephone, and would hear himself from them. */
import { defineStore } from 'pinia'
import { computed } from 'vue'
import { useRoom } from './room'

export const useDucking = defineStore('ducking', () => {
  const room = useRoom()

  /** of the one who speaks; null: as loud as always */
  const name = computed(() => {
    const { me } = room
    const holder = room.holder && room.byId(room.holder.participant_id)
    if (!me || !holder?.in_hall || me.role !== 'venue_operator' || me.venue === null) return null
    return holder.venue === me.venue ? holder.name : null
  })

  return { name }
})
