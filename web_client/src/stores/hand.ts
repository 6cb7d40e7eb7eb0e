/** One's own raised hand: up, down, and the place in the queue said aloud. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { i18n } from '@/i18n'
import { useCall } from './call'
import { useNotices } from './notices'
import { useRoom } from './room'

export const useHand = defineStore('hand', () => {
  const { t } = i18n.global
  const call = useCall()
  const notices = useNotices()
  const room = useRoom()
  const busy = ref(false)

  async function toggle(): Promise<void> {
    if (busy.value) return
    busy.value = true
    if (room.me?.hand === null) {
      const done = await call.ask('floor.request', {})
      if (done) notices.say(t('toast.handUp', { n: done.place }))
    } else if (await call.ask('floor.withdraw', {})) {
      notices.say(t('toast.handDown'))
    }
    busy.value = false
  }

  return { toggle }
})
