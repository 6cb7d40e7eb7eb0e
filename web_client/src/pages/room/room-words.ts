/** What screen readers are told of the room: who comes, goes, is lost, shares; and the one word about one's own weak network. */
import { onScopeDispose, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { useNotices } from '@/stores/notices'
import { useRoom } from '@/stores/room'
import { useRoomPromotion } from '@/stores/room-promotion'
import { useWeakLink } from '@/stores/weak-link'

/** In a large room the coming and going would drown everything else. */
const SMALL_ROOM = 12
const WEAK_MS = 5000
const WEAK_PAUSE_MS = 120_000

export function useRoomWords(): void {
  const { t } = useI18n()
  const notices = useNotices()
  const room = useRoom()
  const promotion = useRoomPromotion()
  const weakLink = useWeakLink()

  watch(
    () => room.others.map((each) => ({ id: each.id, name: each.name, connected: each.connected, shares: each.publications.some((one) => one.source === 'screen') })),
    (now, before) => {
      if (!before || now.length > SMALL_ROOM) return
      const known = new Map(before.map((each) => [each.id, each]))
      for (const each of now) {
        const was = known.get(each.id)
        known.delete(each.id)
        if (!was) notices.say(t('toast.joined', { name: each.name }))
        else if (was.connected && !each.connected) notices.say(t('toast.lost', { name: each.name }))
        if (each.shares && !was?.shares) notices.say(t('toast.presenting', { name: each.name }))
      }
      for (const gone of known.values()) notices.say(t('toast.left', { name: gone.name }))
    },
  )

  watch(
    () => room.waiting.map((each) => ({ id: each.participant_id, name: each.name })),
    (now, before) => {
      for (const each of now) if (!before.some((one) => one.id === each.id)) notices.say(t('waiting.arrived', { name: each.name }))
    },
  )

  watch(
    () => promotion.shown,
    (now, before) => {
      if (now && now.id !== before?.id) notices.say(t('promotion.began', { text: now.words }))
      else if (!now && before) notices.say(t('promotion.over'))
    },
    { immediate: true },
  )

  let weak: ReturnType<typeof setTimeout> | undefined
  onScopeDispose(() => clearTimeout(weak))
  let told = -Infinity
  watch(
    () => room.me?.quality ?? null,
    (quality) => {
      clearTimeout(weak)
      if (quality === null || quality > 1 || Date.now() - told < WEAK_PAUSE_MS) return
      weak = setTimeout(() => {
        // One sentence at a time, and the other one says more.
        if (weakLink.hint !== null) return
        told = Date.now()
        notices.show(t('toast.weak'))
      }, WEAK_MS)
    },
  )
}
