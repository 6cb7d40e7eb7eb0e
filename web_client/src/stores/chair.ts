/** What the chair and the secretariat do with others: mute, lock, remove, lower hands; with a word about it and a way back. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { Participant } from '@/api/messages'
import { i18n } from '@/i18n'
import { useLine } from './line'
import { useNotices } from './notices'

const UNDO_ALL_MS = 60_000

export const useChair = defineStore('chair', () => {
  const { t } = i18n.global
  const line = useLine()
  const notices = useNotices()
  /** removing cannot be undone, so it asks */
  const removing = ref<Participant | null>(null)

  async function mute(each: Participant): Promise<void> {
    const done = await line.ask('participant.mute', { participant_id: each.id, muted: true })
    if (done) notices.show(t('toast.muted', { name: each.name }))
  }

  async function hardMute(each: Participant): Promise<void> {
    const done = await line.ask('participant.mute', { participant_id: each.id, muted: true, hard: true })
    if (!done) return
    notices.show(t('toast.hardMuted', { name: each.name }), {
      action: { label: t('common.undo'), run: () => void lift(each) },
    })
  }

  async function lift(each: Participant): Promise<void> {
    const done = await line.ask('participant.mute', { participant_id: each.id, muted: false })
    if (done) notices.show(t('toast.lifted', { name: each.name }))
  }

  async function muteAll(): Promise<void> {
    const done = await line.ask('participant.mute', { all: true, muted: true })
    if (!done) return
    if (done.changed === 0) {
      notices.show(t('toast.mutedNobody'))
      return
    }
    notices.show(t('toast.mutedAll', { n: done.changed }), {
      action: { label: t('common.undo'), run: () => void undoAll() },
      forMs: UNDO_ALL_MS,
    })
  }

  async function undoAll(): Promise<void> {
    const done = await line.ask('participant.mute', { all: true, muted: false })
    if (done) notices.show(t('toast.muteUndone'))
  }

  function askToRemove(each: Participant): void {
    removing.value = each
  }

  async function remove(): Promise<void> {
    const each = removing.value
    removing.value = null
    if (!each) return
    const done = await line.ask('participant.remove', { participant_id: each.id })
    if (done) notices.show(t('toast.removed', { name: each.name }))
  }

  const lowerHand = (participantId: string): Promise<unknown> => line.ask('floor.withdraw', { participant_id: participantId })

  return { removing, mute, hardMute, lift, muteAll, askToRemove, remove, lowerHand }
})
