/** One's own raised hand: up, down, the place in the queue said aloud, and the end of one's own turn. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { i18n } from '@/i18n'
import { useLine } from './line'
import { useNotices } from './notices'
import { useRoom } from './room'

export const useHand = defineStore('hand', () => {
  const { t } = i18n.global
  const line = useLine()
  const notices = useNotices()
  const room = useRoom()
  const busy = ref(false)

  async function toggle(): Promise<void> {
    if (busy.value) return
    busy.value = true
    if (room.holder && room.holder.participant_id === room.myId) {
      await line.ask('floor.withdraw', {})
    } else if (room.me?.hand === null) {
      const done = await line.ask('floor.request', {})
      if (done) notices.say(t('toast.handUp', { n: done.place }))
    } else if (await line.ask('floor.withdraw', {})) {
      notices.say(t('toast.handDown'))
    }
    busy.value = false
  }

  return { toggle }
})
