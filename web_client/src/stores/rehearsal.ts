/** Beginning and ending a rehearsal from a desk, and comments to try moderating with. */
import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'
import { i18n } from '@/i18n'
import { useComments } from './comments'
import { useLine } from './line'
import { useNotices } from './notices'
import { useRoom } from './room'

export const useRehearsal = defineStore('rehearsal', () => {
  const { t } = i18n.global
  const comments = useComments()
  const line = useLine()
  const notices = useNotices()
  const room = useRoom()
  const busy = ref(false)

  const on = computed(() => room.rehearsing)
  const mayStart = computed(() => room.state?.consultation.status === 'scheduled' && room.can('consultation.start'))
  const mayEnd = computed(() => on.value && room.can('consultation.end'))

  /** What was written for it is gone from the queue, too. */
  watch(on, (now, before) => {
    if (before && !now && comments.loaded) void comments.load(true)
  })

  async function doing<Answer>(act: () => Promise<Answer | null>): Promise<Answer | null> {
    if (busy.value) return null
    busy.value = true
    const answer = await act()
    busy.value = false
    return answer
  }

  async function start(): Promise<boolean> {
    const done = (await doing(() => line.ask('rehearsal.start', {}))) !== null
    if (done) notices.show(t('rehearsal.started'))
    return done
  }

  async function end(keep: boolean): Promise<boolean> {
    const done = (await doing(() => line.ask('rehearsal.end', { keep }))) !== null
    if (done) notices.show(t(keep ? 'rehearsal.kept' : 'rehearsal.cleared'))
    return done
  }

  async function comment(text: string): Promise<boolean> {
    const done = (await doing(() => line.ask('rehearsal.comment', { text }))) !== null
    if (done) notices.show(t('rehearsal.commented'), { forMs: 3000 })
    return done
  }

  return { on, busy, mayStart, mayEnd, start, end, comment }
})
