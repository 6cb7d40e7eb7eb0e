/** The floor: who speaks and for how long, and what the chair does with it. */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { FloorEnding, FloorMode } from '@/api/messages'
import { useClock } from './clock'
import { floorTime } from './floor-time'
import { useLine } from './line'
import { useRoom } from './room'

const MINUTE_MS = 60_000
/** offered when the floor is given; null: no limit */
export const DURATIONS_MS: readonly (number | null)[] = [3 * MINUTE_MS, 5 * MINUTE_MS, 8 * MINUTE_MS, null]

export const useFloor = defineStore('floor', () => {
  const clock = useClock()
  const line = useLine()
  const room = useRoom()
  /** for the next who is given the floor */
  const durationMs = ref<number | null>(5 * MINUTE_MS)
  const ending = ref<FloorEnding>('soft')

  const time = computed(() => (room.holder ? floorTime(room.holder, clock.programMs) : null))
  const mine = computed(() => room.holder !== null && room.holder.participant_id === room.myId)

  const grant = (participantId: string): Promise<unknown> =>
    line.ask('floor.grant', {
      participant_id: participantId,
      duration_ms: durationMs.value,
      ending: ending.value,
      // Somebody else who gave the floor in the meantime goes first.
      ...(room.state ? { version: room.state.version } : {}),
    })
  const extend = (): Promise<unknown> => line.ask('floor.extend', { ms: MINUTE_MS })
  const end = (): Promise<unknown> => line.ask('floor.end', {})
  const setMode = (mode: FloorMode): Promise<unknown> => line.ask('floor.mode', { mode })

  /** One place up or down in the queue. */
  async function move(participantId: string, by: -1 | 1): Promise<boolean> {
    const ids = room.queue.map((each) => each.participant_id)
    const at = ids.indexOf(participantId)
    const other = ids[at + by]
    if (at < 0 || other === undefined) return false
    ids[at] = other
    ids[at + by] = participantId
    return (await line.ask('floor.order', { participant_ids: ids })) !== null
  }

  return { durationMs, ending, time, mine, grant, extend, end, setMode, move }
})
