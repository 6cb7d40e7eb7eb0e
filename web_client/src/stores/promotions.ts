/** What is proposed for the session and what is before it (上会): a short list at every desk that may decide on it. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { Promotion } from '@/api/moderation'
import { i18n } from '@/i18n'
import { useLine } from './line'
import { useNotices } from './notices'
import { useRoom } from './room'

export const usePromotions = defineStore('promotions', () => {
  const { t } = i18n.global
  const line = useLine()
  const notices = useNotices()
  const room = useRoom()
  /** proposed, and what is before the meeting */
  const open = shallowRef<readonly Promotion[]>([])
  const busy = ref(false)

  const proposed = computed(() => open.value.filter((each) => each.phase === 'proposed'))
  const current = computed(() => open.value.find((each) => each.phase === 'current') ?? null)
  const decides = computed(() => room.can('promotion.decide'))
  const groups = computed(() => new Map(open.value.map((each) => [each.group_id, each])))

  function take(list: readonly Promotion[]): void {
    open.value = list
  }

  /** The answer comes before the event does. */
  function keep(card: Promotion): void {
    const others = open.value.filter((each) => each.id !== card.id && !(card.phase === 'current' && each.phase === 'current'))
    open.value = card.phase === 'proposed' || card.phase === 'current' ? [...others, card] : others
  }

  async function act(ask: () => Promise<{ promotion: Promotion } | null>): Promise<Promotion | null> {
    if (busy.value) return null
    busy.value = true
    const answer = await ask()
    busy.value = false
    if (!answer) return null
    keep(answer.promotion)
    return answer.promotion
  }

  /** Put to the session, or proposed by those who may not decide. */
  async function promote(commentId: string): Promise<Promotion | null> {
    const card = await act(() => line.ask('comment.promote', { id: commentId }))
    if (card) notices.say(t(card.phase === 'current' ? 'comments.said.taken' : 'comments.said.proposed'))
    return card
  }

  /** By the chair: not this one. By a moderator: taken back. */
  async function decline(card: Promotion): Promise<boolean> {
    if (!(await act(() => line.ask('promotion.decline', { id: card.id })))) return false
    // A chair who promotes puts it to the session: proposing anew is the moderators' business.
    if (decides.value) notices.show(t('comments.said.declined'))
    else notices.show(t('comments.said.withdrawn'), { action: { label: t('common.undo'), run: () => void promote(card.comment_id) } })
    return true
  }

  async function end(card: Promotion): Promise<void> {
    if (await act(() => line.ask('promotion.end', { id: card.id }))) notices.say(t('comments.said.ended'))
  }

  return { open, proposed, current, groups, decides, busy, take, promote, decline, end }
})
