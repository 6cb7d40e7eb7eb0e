/** The queue of comments at a desk: groups in rows that stay where they are while somebody works on one of them. */
import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowReactive, shallowRef, watch } from 'vue'
import type { CommentCounts, CommentGroup, CommentGroupPage, CommentOrder, CommentState, CommentsUpdated, CommentsWanted } from '@/api/moderation'
import { useLine } from './line'
import { usePromotions } from './promotions'
import { useRoom } from './room'

const PAGE = 100
/** with fewer rows than this the next page is asked for */
const FEW = 40
/** counts of the last ten seconds say nothing of later ones */
const RATE_MS = 10_000
const SAMPLES = 60
/** A list that changes more often than this is read by nobody. */
const SETTLE_MS = 1000
/** until a list that the server did not give is asked for again */
const AGAIN_MS = 4000

/** The queues one looks at, and the states of comments in them. */
export const QUEUES = {
  pending: ['pending'],
  held: ['held'],
  approved: ['approved'],
  rejected: ['rejected'],
  promoted: ['promoted', 'answered'],
  hidden: ['hidden'],
} as const satisfies Record<string, readonly CommentState[]>
export type QueueName = keyof typeof QUEUES

/** Families of reasons of the filter. */
export const FLAGS = ['contact', 'flood', 'repeat', 'word', 'link', 'new_nickname'] as const
export type Flag = (typeof FLAGS)[number]

export const inState = (group: CommentGroup, states: readonly CommentState[]): number => states.reduce((sum, each) => sum + (group.states[each] ?? 0), 0)
/** comments of the group that wait for a decision */
export const waitingIn = (group: CommentGroup): number => inState(group, ['pending', 'held'])
const size = (group: CommentGroup): number => Object.values(group.states).reduce((sum, each) => sum + each, 0)

export function inOrder(order: CommentOrder): (one: CommentGroup, two: CommentGroup) => number {
  const older = (one: CommentGroup, two: CommentGroup): number => one.first_wall_ms - two.first_wall_ms || one.representative.number - two.representative.number
  if (order === 'oldest') return older
  if (order === 'newest') return (one, two) => two.last_wall_ms - one.last_wall_ms || two.representative.number - one.representative.number
  return (one, two) => two.authors - one.authors || older(one, two)
}

export const useComments = defineStore('comments', () => {
  const line = useLine()
  const promotions = usePromotions()
  const room = useRoom()

  const counts = shallowRef<CommentCounts | null>(null)
  const moderators = shallowRef<readonly string[]>([])
  /** of the rows and of what waits behind them */
  const groups = shallowReactive(new Map<string, CommentGroup>())
  const rows = shallowRef<readonly string[]>([])
  /** came, or grew into what is shown, while the rows were held */
  const fresh = shallowReactive(new Set<string>())
  const wanted = reactive({ queue: 'pending' as QueueName, search: '', flag: null as Flag | null, topic: null as string | null, order: 'authors' as CommentOrder })
  /** there is more on the server behind the last row */
  const more = ref(false)
  const loaded = ref(false)
  /** the place is open */
  const active = ref(false)
  /** why no row moves: one has the focus or lies under the pointer, a mark is set, and the like */
  const holds = shallowReactive(new Set<string>())
  const held = computed(() => holds.size > 0)
  const rates = shallowRef<readonly number[]>([])
  let told = -Infinity
  let asked = 0
  let missed = false
  let fetching = false
  let settled = -Infinity
  let later: ReturnType<typeof setTimeout> | undefined
  let again: ReturnType<typeof setTimeout> | undefined

  const may = computed(() => room.can('comment.moderate'))
  const states = computed<readonly CommentState[]>(() => QUEUES[wanted.queue])
  const waiting = computed(() => (counts.value?.states.pending ?? 0) + (counts.value?.states.held ?? 0))
  const listed = computed(() => rows.value.map((id) => groups.get(id)).filter((each) => each !== undefined))

  /** what comes in now, a second */
  function rate(): number {
    const age = performance.now() - told
    return age >= RATE_MS ? 0 : Math.round((counts.value?.per_second ?? 0) * (1 - Math.max(0, age - 2000) / RATE_MS) * 10) / 10
  }
  setInterval(() => {
    if (counts.value) rates.value = [...rates.value, rate()].slice(-SAMPLES)
  }, RATE_MS)

  const fits = (group: CommentGroup): boolean => inState(group, states.value) > 0

  /** Whether a group that is no row yet belongs to what is looked at. Of a topic and of its other comments only the server knows. */
  function belongs(group: CommentGroup): boolean {
    if (!fits(group) || wanted.topic) return false
    const { text, nickname, reasons } = group.representative
    if (wanted.flag && !reasons.some(({ code }) => code === wanted.flag || code.startsWith(`${wanted.flag ?? ''}_`))) return false
    return !wanted.search || `${nickname} ${text}`.toLowerCase().includes(wanted.search.toLowerCase())
  }

  /** Behind the last row while the server has more: it comes with its page. */
  function beyond(group: CommentGroup): boolean {
    const last = groups.get(rows.value.at(-1) ?? '')
    return more.value && last !== undefined && inOrder(wanted.order)(group, last) > 0
  }

  function put(group: CommentGroup): void {
    const known = groups.has(group.id)
    if (known || (belongs(group) && !beyond(group))) groups.set(group.id, group)
    if (rows.value.includes(group.id)) return
    if (belongs(group) && !beyond(group)) fresh.add(group.id)
    else fresh.delete(group.id)
  }

  function apply(batch: CommentsUpdated): void {
    counts.value = batch.counts
    told = performance.now()
    moderators.value = batch.moderators
    promotions.take(batch.promotions)
    if (!active.value || !loaded.value) return
    for (const each of batch.groups) put(each)
    for (const id of batch.gone) leave(id)
    if (!batch.complete) missed = true
    settleSoon()
  }

  /** At once, or a second after the last time. */
  function settleSoon(): void {
    clearTimeout(later)
    if (held.value || !active.value) return
    const wait = settled + SETTLE_MS - performance.now()
    if (wait > 0) later = setTimeout(settleSoon, wait)
    else settle()
  }

  /** Merged into another one: its row goes when rows may move. */
  function leave(id: string): void {
    fresh.delete(id)
    const group = groups.get(id)
    if (group) groups.set(id, { ...group, states: {} })
  }

  /** Rows as they should be now: what was decided goes, what came takes its place. */
  function settle(): void {
    settled = performance.now()
    if (missed) {
      void load()
      return
    }
    const kept = [...new Set([...rows.value, ...fresh])].map((id) => groups.get(id)).filter((each) => each !== undefined && fits(each)) as CommentGroup[]
    fresh.clear()
    show(kept.sort(inOrder(wanted.order)))
    refill()
  }

  function show(list: readonly CommentGroup[]): void {
    const ids = list.map((each) => each.id)
    const there = new Set(ids)
    for (const id of groups.keys()) if (!there.has(id) && !fresh.has(id)) groups.delete(id)
    // An equal list is no change: nothing is drawn anew.
    if (ids.length !== rows.value.length || ids.some((id, at) => id !== rows.value[at])) rows.value = ids
  }

  /** What one has decided oneself goes at once. */
  function drop(ids: Iterable<string>): void {
    const gone = new Set(ids)
    for (const id of gone) fresh.delete(id)
    rows.value = rows.value.filter((id) => !gone.has(id))
    for (const id of gone) groups.delete(id)
    refill()
  }

  /** Groups as an answer tells them: those that do not fit any more go, those that fit again come back to their place. */
  function keep(list: readonly CommentGroup[]): void {
    const back = list.filter((each) => fits(each))
    drop(list.filter((each) => !fits(each)).map((each) => each.id))
    for (const each of back) {
      groups.set(each.id, each)
      fresh.delete(each.id)
      if (!rows.value.includes(each.id)) insert(each)
    }
  }

  function insert(group: CommentGroup): void {
    const compare = inOrder(wanted.order)
    const at = rows.value.findIndex((id) => {
      const other = groups.get(id)
      return other !== undefined && compare(group, other) < 0
    })
    const place = at < 0 ? rows.value.length : at
    rows.value = [...rows.value.slice(0, place), group.id, ...rows.value.slice(place)]
  }

  function request(after?: string): CommentsWanted {
    return {
      states: [...states.value],
      order: wanted.order,
      limit: active.value ? PAGE : 1,
      ...(wanted.search ? { search: wanted.search } : {}),
      ...(wanted.flag ? { reason: wanted.flag } : {}),
      ...(wanted.topic ? { topic: wanted.topic } : {}),
      ...(after ? { after } : {}),
    }
  }

  function heard(page: CommentGroupPage): void {
    counts.value = page.counts
    told = performance.now()
    promotions.take(page.promotions)
  }

  async function first(aloud: boolean): Promise<CommentGroupPage | null> {
    try {
      return await line.request('comments.list', request())
    } catch (error) {
      if (aloud) line.say(error)
      return null
    }
  }

  /** The first page anew; with `whole` the rows give way although they are held. `aloud`: a refusal is said in words. */
  async function load(whole = false, aloud = whole): Promise<void> {
    clearTimeout(again)
    if (!line.up || !may.value) return
    missed = false
    const turn = (asked += 1)
    const page = await first(aloud)
    if (turn !== asked) return
    if (!page) {
      // What was missed is still missed. Over a line that is down nothing is asked: once it is up again all is read anew.
      missed = true
      if (active.value) again = setTimeout(() => void load(whole, false), AGAIN_MS)
      return
    }
    heard(page)
    if (!active.value) return
    if (held.value && !whole && loaded.value) {
      for (const each of page.items) put(each)
      missed = true
      return
    }
    fresh.clear()
    for (const each of page.items) groups.set(each.id, each)
    more.value = page.next !== null
    loaded.value = true
    show(page.items)
  }

  /** The page behind the last row. */
  async function further(): Promise<void> {
    if (!more.value || fetching || !line.up) return
    fetching = true
    const turn = asked
    const last = rows.value.findLast((id) => {
      const group = groups.get(id)
      return group !== undefined && fits(group)
    })
    const page = await line.ask('comments.list', request(last))
    fetching = false
    if (!page || turn !== asked) return
    heard(page)
    more.value = page.next !== null
    const known = new Set(rows.value)
    const end = groups.get(last ?? '')
    const compare = inOrder(wanted.order)
    const added: string[] = []
    for (const each of page.items) {
      groups.set(each.id, each)
      if (known.has(each.id)) continue
      // The place to go on from was gone and the list began anew: what belongs further up waits for its turn.
      if (end && compare(each, end) < 0 && held.value) fresh.add(each.id)
      else added.push(each.id)
    }
    for (const id of added) fresh.delete(id)
    rows.value = [...rows.value, ...added]
    if (added.length === 0 && more.value && page.items.length > 0) more.value = page.next !== last
    if (!held.value) settle()
  }

  function refill(): void {
    if (more.value && rows.value.length < FEW) void further()
  }

  /** New groups and rows in their places, whoever works on what. */
  async function showNew(): Promise<void> {
    if (missed) await load(true)
    else settle()
  }

  function choose(change: Partial<typeof wanted>): void {
    Object.assign(wanted, change)
    void load(true)
  }

  function hold(why: string, on: boolean): void {
    if (on) holds.add(why)
    else holds.delete(why)
  }

  async function open(): Promise<void> {
    active.value = true
    await load(true)
  }

  function close(): void {
    active.value = false
    loaded.value = false
    clearTimeout(later)
    clearTimeout(again)
    holds.clear()
    rows.value = []
    groups.clear()
    fresh.clear()
  }

  watch(
    () => line.up && may.value,
    (ready) => {
      if (ready) void load()
    },
    { immediate: true },
  )
  watch(held, (now) => {
    if (!now && active.value && loaded.value) settle()
  })

  return { counts, moderators, groups, rows, listed, fresh, wanted, states, more, loaded, held, rates, may, waiting, rate, fits, size, apply, drop, keep, load, further, showNew, hold, choose, open, close }
})
