/** What a countdown says: for the clock on the stage, the bar of a phone and the desk alike. */
import { computed, watch, type ComputedRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { useFloor } from '@/stores/floor'
import { barPart, timeText } from '@/stores/floor-time'
import { useNotices } from '@/stores/notices'
import { useRoom } from '@/stores/room'

export interface FloorFace {
  look: 'soon' | 'over' | ''
  head: string
  total: string
  time: string
  part: number
  /** for screen readers; without the seconds, which would be another sentence each time */
  label: string
}

export function useFloorFace(): ComputedRef<FloorFace | null> {
  const { t } = useI18n()
  const floor = useFloor()
  const room = useRoom()

  return computed(() => {
    const { holder } = room
    const { time } = floor
    if (!holder || !time) return null
    const limit = holder.duration_ms === null ? t('floor.noLimit') : t('floor.total', { n: minutes(holder.duration_ms) })
    const head = holder.duration_ms === null && time.phase === 'running' ? t('floor.phase.spoken') : t(`floor.phase.${time.phase}`)
    return {
      look: time.phase === 'soon' || time.phase === 'over' ? time.phase : '',
      head,
      total: time.phase === 'grace' ? t('floor.kept') : time.phase === 'waiting' ? t('floor.waitingText') : limit,
      time: timeText(time),
      part: barPart(time, holder.duration_ms),
      label: t('floor.label', { name: holder.name, state: `${head} ${timeText(time)}` }),
    }
  })
}

const minutes = (ms: number): number => Math.round(ms / 6000) / 10

/** Who speaks now, the last minute and the end of the time, each said once. */
export function useFloorWords(turn: { warned: () => void } | null): void {
  const { t } = useI18n()
  const floor = useFloor()
  const notices = useNotices()
  const room = useRoom()

  watch(
    () => room.holder?.participant_id,
    (id) => {
      if (id !== undefined && room.holder && !floor.mine) notices.say(t('floor.now', { name: room.holder.name }))
    },
  )
  watch(
    () => [room.holder?.participant_id, floor.time?.phase] as const,
    ([id, phase], [idBefore, before]) => {
      if (phase === before || id !== idBefore) return
      if (phase === 'soon') {
        notices.say(t('turn.soon'))
        if (floor.mine) turn?.warned()
      } else if (phase === 'over') {
        notices.say(t('turn.over'))
      }
    },
  )
}
