/** How everybody's connection fares: asked for every two seconds while the place is open and can be seen. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { inspector, type Grade, type Inspected, type RoomLook } from '@/api/inspector'
import { fetchRelay, readRelay, type RelayState } from '@/api/relay'
import { RequestError } from '@/api/room-socket'
import { useActs } from './acts'
import { useSession } from './session'

export const LOOK_MS = 2000
/** The relay is asked about apart where a look does not say it. */
export const RELAY_MS = 20_000
/** what is older is said to be */
export const STALE_MS = 7000

export type Trouble = 'restarting' | 'offline' | 'elsewhere' | 'failed'
const TROUBLES: Record<string, Trouble> = { media_unavailable: 'restarting', offline: 'offline', other_node: 'elsewhere' }
const RANKS: Record<Grade, number> = { bad: 0, warn: 1, note: 2 }

/** The grade that something has to be done about; notes only explain. */
export function verdict(each: Inspected): 'bad' | 'warn' | 'ok' {
  const grade = each.found[0]?.grade
  return grade === undefined || grade === 'note' ? 'ok' : grade
}

const rank = (each: Inspected): number => {
  const found = verdict(each)
  return found === 'ok' ? RANKS.note : RANKS[found]
}

export const useInspector = defineStore('inspector', () => {
  const acts = useActs()
  const session = useSession()
  const look = shallowRef<RoomLook | null>(null)
  const trouble = ref<Trouble | null>(null)
  /** since when nothing new came, as the browser counts */
  const seenMs = ref(0)
  const nowMs = ref(0)
  const chosen = ref<string | null>(null)
  const relay = ref<RelayState | null>(null)
  let relayMs = -Infinity
  let wanted = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let turn = 0

  const stale = computed(() => look.value !== null && nowMs.value - seenMs.value > STALE_MS)
  /** Those who need something first; among equals the order of joining. While a row has the focus nobody moves. */
  const order = shallowRef<readonly string[]>([])
  let held = false
  const people = computed(() => {
    const places = new Map(order.value.map((id, place) => [id, place]))
    const place = (each: Inspected): number => places.get(each.id) ?? places.size
    return [...(look.value?.participants ?? [])].sort((one, other) => place(one) - place(other))
  })
  const open = computed(() => people.value.find((each) => each.id === chosen.value) ?? null)
  const ailing = computed(() => people.value.filter((each) => verdict(each) !== 'ok').length)

  async function load(): Promise<void> {
    const now = (turn += 1)
    try {
      const found = await acts.ask((http) => inspector(http, session.cid).look(chosen.value))
      if (now !== turn) return
      look.value = found
      void askRelay(found)
      sort()
      trouble.value = null
      seenMs.value = performance.now()
    } catch (error) {
      if (now !== turn) return
      trouble.value = (error instanceof RequestError ? TROUBLES[error.code] : undefined) ?? 'failed'
    }
    nowMs.value = performance.now()
  }

  async function askRelay(found: RoomLook): Promise<void> {
    if (found.relay !== undefined) relay.value = readRelay(found.relay)
    else if (performance.now() - relayMs >= RELAY_MS) {
      relayMs = performance.now()
      relay.value = await fetchRelay()
    }
  }

  function sort(): void {
    if (held || !look.value) return
    order.value = [...look.value.participants].sort((one, other) => rank(one) - rank(other)).map((each) => each.id)
  }

  function hold(on: boolean): void {
    held = on
    sort()
  }

  async function again(): Promise<void> {
    clearTimeout(timer)
    if (!document.hidden) await load()
    if (wanted) timer = setTimeout(() => void again(), LOOK_MS)
  }

  function start(): void {
    if (wanted) return
    wanted = true
    void again()
  }

  function stop(): void {
    wanted = false
    turn += 1
    clearTimeout(timer)
  }

  function choose(id: string | null): void {
    chosen.value = id
    if (id !== null) void load()
  }

  const take = (name: string): Promise<void> => acts.download(name, (http) => inspector(http, session.cid).trail())

  return { look, relay, trouble, stale, people, open, chosen, ailing, load, start, stop, hold, choose, take }
})
