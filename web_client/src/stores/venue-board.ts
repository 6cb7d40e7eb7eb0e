/** How all venues fare: a look over HTTP, then what the desk's line tells; and the one that is opened. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import { RequestError } from '@/api/room-socket'
import { venueBoard, type Others, type VenueHealth, type VenueHealthChanged, type VenueMinute, type VenueSession } from '@/api/venue-board'
import { useActs } from './acts'
import { useLine } from './line'
import { useSession } from './session'

/** A minute more for the plots; what is now comes by the line. */
export const PLOTS_MS = 60_000
/** how long it waits with a look that failed */
export const AGAIN_MS = 5000
const HOUR = 60

export const inNeed = (each: VenueHealth): boolean => each.need > 0

export const useVenueBoard = defineStore('venue-board', () => {
  const acts = useActs()
  const line = useLine()
  const session = useSession()
  /** in the order of the list; null before the first look */
  const venues = shallowRef<VenueHealth[] | null>(null)
  const hours = shallowRef(new Map<string, VenueMinute[]>())
  const others = shallowRef<Others>({ well: 0, weak: 0 })
  const live = ref(false)
  /** when this was so, UTC, and whether nothing newer can be had */
  const atMs = ref(0)
  const failed = ref(false)
  const chosen = ref<string | null>(null)
  const opened = shallowRef<VenueSession | null>(null)
  let following = false
  let watching = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let turn = 0

  const byId = computed(() => new Map((venues.value ?? []).map((each) => [each.venue_id, each])))
  const needing = computed(() => (venues.value ?? []).filter(inNeed).length)

  /** Rows: the one in need first. The order follows verdicts, and no row moves while one has the focus. */
  const order = shallowRef<readonly string[]>([])
  let held = false
  const rows = computed(() => order.value.map((id) => byId.value.get(id)).filter((each) => each !== undefined))
  const verdicts = computed(() => (venues.value ?? []).map((each) => `${each.venue_id} ${each.need}`).join('\n'))

  function sort(): void {
    const all = venues.value ?? []
    const known = new Set(all.map((each) => each.venue_id))
    if (held) {
      const shown = order.value.filter((id) => known.has(id))
      const rest = all.filter((each) => !shown.includes(each.venue_id)).map((each) => each.venue_id)
      order.value = [...shown, ...rest]
    } else order.value = all.map((each, place) => ({ each, place })).sort((one, two) => two.each.need - one.each.need || one.place - two.place).map(({ each }) => each.venue_id)
  }
  watch(verdicts, sort)

  function hold(on: boolean): void {
    held = on
    sort()
  }

  const open = computed(() => (chosen.value === null ? null : (byId.value.get(chosen.value) ?? null)))

  async function load(): Promise<void> {
    const now = (turn += 1)
    try {
      const board = await acts.ask((http) => venueBoard(http, session.cid).board())
      if (now !== turn) return
      venues.value = board.items.map(withoutMinutes)
      hours.value = new Map(board.items.map((each) => [each.venue_id, each.minutes]))
      others.value = board.others
      live.value = board.is_live
      atMs.value = board.at_ms
      failed.value = false
      sort()
      if (chosen.value !== null && !byId.value.has(chosen.value)) chosen.value = null
    } catch (error) {
      if (now === turn) failed.value = !(error instanceof RequestError && error.code === 'forbidden')
    }
  }

  async function loadOpened(): Promise<void> {
    const id = chosen.value
    if (id === null) return
    const done = await acts.run((http) => venueBoard(http, session.cid).session(id), { quiet: true })
    if (done && chosen.value === id) opened.value = done.value
  }

  /** What the server says looks different now. */
  function apply(change: VenueHealthChanged): void {
    if (venues.value === null) return
    const newer = new Map(change.venues.map((each) => [each.venue_id, each]))
    const gone = new Set(change.gone)
    const kept = venues.value.filter((each) => !gone.has(each.venue_id)).map((each) => newer.get(each.venue_id) ?? each)
    const known = new Set(kept.map((each) => each.venue_id))
    venues.value = [...kept, ...change.venues.filter((each) => !known.has(each.venue_id))]
    others.value = change.others
    atMs.value = change.at_ms
    failed.value = false
  }

  /** The number at the rail needs the board wherever on the desk one is. */
  function follow(): void {
    if (following) return
    following = true
    // Events that went by while the line was down are in the next look.
    watch(() => line.up, (up) => up && void load(), { immediate: true })
  }

  /** The place is open: the plots grow. */
  function start(): void {
    watching += 1
    if (watching === 1) again(0)
  }

  function stop(): void {
    watching -= 1
    if (watching > 0) return
    clearTimeout(timer)
    timer = undefined
  }

  function again(inMs: number): void {
    clearTimeout(timer)
    timer = setTimeout(() => {
      void (async () => {
        if (!document.hidden) await Promise.all([load(), loadOpened()])
        if (watching > 0) again(failed.value ? AGAIN_MS : PLOTS_MS)
      })()
    }, inMs)
  }

  function choose(id: string | null): void {
    chosen.value = id
    opened.value = null
    void loadOpened()
  }

  const minutes = (id: string): VenueMinute[] => (hours.value.get(id) ?? []).slice(-HOUR)
  const take = (name: string): Promise<void> => acts.download(name, (http) => venueBoard(http, session.cid).csv())

  return { venues, others, live, atMs, failed, chosen, open, opened, rows, needing, minutes, load, apply, follow, start, stop, hold, choose, take }
})

/** What is now comes anew by the line; minutes stay apart from it. */
function withoutMinutes(each: VenueHealth & { minutes?: VenueMinute[] }): VenueHealth {
  const health = { ...each }
  delete health.minutes
  return health
}
