/** Whether comments are shown after approval or at once, and who may change that. */
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import { fetchPolicy, savePolicy, type Moderation, type ModerationPolicy } from '@/api/moderation'
import { i18n } from '@/i18n'
import { useActs } from './acts'
import { useNotices } from './notices'
import { useRoom } from './room'
import { useSession } from './session'

export const useModeration = defineStore('comment-policy', () => {
  const { t } = i18n.global
  const acts = useActs()
  const notices = useNotices()
  const room = useRoom()
  const session = useSession()
  const now = shallowRef<ModerationPolicy | null>(null)
  const may = computed(() => room.can('consultation.edit'))
  /** whether a press puts a comment before the meeting at once: the chair's right, or the session's policy */
  const promotes = computed(() => room.can('promotion.decide') || (room.can('comment.promote') && now.value?.moderator_promotes === true))

  async function load(): Promise<void> {
    const done = await acts.run((http) => fetchPolicy(http, session.cid), { quiet: true })
    if (done) now.value = done.value
  }

  async function set(moderation: Moderation): Promise<void> {
    const before = now.value
    if (!before || before.moderation === moderation) return
    now.value = { ...before, moderation }
    // Somebody may have edited other fields of the consultation since: of this one nobody else's word is overwritten.
    const done = await acts.run(async (http) => savePolicy(http, session.cid, (await fetchPolicy(http, session.cid)).revision, moderation))
    now.value = done ? done.value : before
    if (done) notices.show(t(`comments.moderation.${moderation}Said`))
  }

  return { now, may, promotes, load, set }
})
