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
    if (!room.running) return null
    const item = room.agenda?.find((each) => each.state === 'current' && each.kind === 'promotion')
    if (!item) return null
    const holder = room.holder
    // Who got the floor since it is before the session answers it, not who still speaks about what was before.
    const answers = holder !== null && (holder.granted_at_ms ?? 0) >= (item.started_at_ms ?? 0)
    return {
      id: item.id,
      words: item.words ?? item.title,
      nickname: item.nickname ?? null,
      place: item.place ?? null,
      answering: item.speaker ?? (answers ? holder.name : null),
    }
  })

  return { shown }
})
