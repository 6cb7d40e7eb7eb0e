/** Who chooses the picture of the program: it itself, or somebody at the desk; and what it shows now. */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { Participant, ProgramLayout, Requests } from '@/api/messages'
import { useLine } from './line'
import { isVenue, useRoom } from './room'

export const LAYOUTS: readonly ProgramLayout[] = ['speaker', 'strip', 'grid', 'side', 'screen']
/** how many people a layout shows */
export const PLACES: Record<ProgramLayout, number> = { speaker: 1, strip: 6, grid: 9, side: 2, screen: 2 }

export const useDirection = defineStore('direction', () => {
  const line = useLine()
  const room = useRoom()
  const busy = ref(false)

  const program = computed(() => room.state?.program ?? null)
  const manual = computed(() => program.value?.mode === 'manual')
  const may = computed(() => room.can('program.direct'))
  const layout = computed(() => program.value?.chosen_layout ?? null)
  const people = computed(() => program.value?.chosen_people ?? [])
  /** Who may be put on the picture: halls first, then who has something to show, then those who are chosen anyway. */
  const candidates = computed<Participant[]>(() => {
    const seen = room.participants.filter((each) => each.connected && each.role !== 'observer' && (isVenue(each) || each.publications.some((one) => one.kind === 'video') || people.value.includes(each.id)))
    return seen.sort((one, two) => Number(isVenue(two)) - Number(isVenue(one)))
  })

  async function direct(wish: Requests['program.direct'][0]): Promise<void> {
    busy.value = true
    const done = await line.ask('program.direct', wish)
    busy.value = false
    if (done && room.state) room.state.program = done.program
  }

  function wish(layout: ProgramLayout | null, people: readonly string[]): Requests['program.direct'][0] {
    return { mode: 'manual', ...(layout ? { layout } : {}), ...(people.length ? { people: [...people] } : {}) }
  }

  const setAuto = (): Promise<void> => direct({ mode: 'auto' })

  /** Begins with what is shown, so that taking over changes nothing by itself. */
  function takeOver(): Promise<void> {
    const now = LAYOUTS.find((each) => each === program.value?.layout) ?? 'speaker'
    return direct(wish(now, fitting(program.value?.people ?? [], now)))
  }

  /** A layout with fewer places keeps the first of those who are chosen. */
  const setLayout = (next: ProgramLayout): Promise<void> => direct(wish(next, fitting(people.value, next)))

  /** Puts somebody on the picture, behind those who are on it, or takes them off. With all places taken the last one goes. */
  function toggle(id: string): Promise<void> {
    const most = layout.value ? PLACES[layout.value] : LAYOUTS.length
    const next = people.value.includes(id) ? people.value.filter((each) => each !== id) : [...people.value.slice(0, most - 1), id]
    return direct(wish(layout.value, next))
  }

  function fitting(ids: readonly string[], of: ProgramLayout): string[] {
    return ids.filter((id) => room.byId(id)).slice(0, PLACES[of])
  }

  return { program, manual, may, layout, people, candidates, busy, setAuto, takeOver, setLayout, toggle }
})
