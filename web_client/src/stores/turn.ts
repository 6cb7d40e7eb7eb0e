/** One's own turn to speak: the microphone opens by itself where that was agreed to on the join page, else one is asked. */
import { defineStore } from 'pinia'
import { ref, watch } from 'vue'
import type { ServerEvents } from '@/api/messages'
import { i18n } from '@/i18n'
import { softTone } from '@/rtc/soft-tone'
import { useLine } from './line'
import { useNotices } from './notices'
import { useOwnMedia } from './own-media'
import { useRoom } from './room'

export const useTurn = defineStore('turn', () => {
  const { t } = i18n.global
  const line = useLine()
  const notices = useNotices()
  const own = useOwnMedia()
  const room = useRoom()
  const consent = ref(false)
  /** the floor is one's own and waits for the microphone */
  const asking = ref<{ durationMs: number | null } | null>(null)
  let warnedOf: number | null | undefined

  function told({ duration_ms: durationMs }: ServerEvents['floor.turn']): void {
    if (own.heard) {
      // Told again after a break of the line, nothing is new.
      if (!own.turnTaken) notices.show(t('turn.title'), { detail: words(durationMs), forMs: 10_000 })
      return
    }
    if (consent.value && own.openForTurn()) {
      asking.value = null
      notices.show(t('turn.opened'), { detail: words(durationMs), forMs: 10_000 })
      notices.say(`${t('turn.opened')}。${words(durationMs)}`, true)
      return
    }
    asking.value = { durationMs }
    notices.clear()
    notices.say(`${t('turn.title')}。${words(durationMs)}${t('turn.how')}`, true)
  }

  function words(durationMs: number | null): string {
    return durationMs === null ? t('turn.textNoLimit') : t('turn.text', { time: t('floor.minutes', { n: Math.round(durationMs / 6000) / 10 }) })
  }

  async function open(): Promise<void> {
    if (await own.openMicrophoneForTurn()) asking.value = null
  }

  async function decline(): Promise<void> {
    if (await line.ask('floor.withdraw', {})) asking.value = null
  }

  /** Once in each turn, whether the server or this device's own clock is first. */
  function warned(): void {
    const turn = room.holder?.granted_at_ms
    if (turn !== undefined && turn === warnedOf) return
    warnedOf = turn
    softTone()
    notices.show(t('turn.soon'))
  }

  function ended({ reason }: ServerEvents['floor.ended']): void {
    over()
    notices.show(t(`turn.ended.${reason}`))
  }

  function over(): void {
    asking.value = null
    warnedOf = undefined
    own.closeAfterTurn()
  }

  // The microphone may be opened by its own button as well.
  watch(
    () => own.heard,
    (heard) => {
      if (heard) asking.value = null
    },
  )

  // The end may have come while the line was down.
  watch(
    () => room.holder !== null && room.holder.participant_id === room.myId,
    (mine, was) => {
      if (was && !mine) over()
    },
  )

  return { consent, asking, words, told, open, decline, warned, ended }
})
