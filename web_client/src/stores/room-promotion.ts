/** The comment that is before the session: the current item of the agenda, and who answers it. */
import { defineStore } from 'pinia'
import { computed } from 'vue'
import { useRoom } from './room'

export interface ShownPromotion {
  id: string
  words: string
  nickname: string | null
  place: string | null
  answering: string | null
}

export const useRoomPromotion = defineStore('room-promotion', () => {
  const room = useRoom()

  const shown = computed<ShownPromotion | null>(() => {
    if (room.state?.consultation.status !== 'live') return null
    const item = room.agenda?.find((each) => each.state === 'current' && each.kind === 'promotion')
    if (!item) return null
    return {
      id: item.id,
      words: item.words ?? item.title,
      nickname: item.nickname ?? null,
      place: item.place ?? null,
      // Who has the floor while it is before the session answers it; whom the agenda names does anyway.
      answering: item.speaker ?? room.holder?.name ?? null,
    }
  })

  return { shown }
})
