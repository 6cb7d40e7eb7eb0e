/**
 * The course of a pre-check: nine items one after the other, each measured here and judged by the server. It can be paused; an item can be
 * repeated or skipped. Time in which nothing is asked of anybody does not count.
 */
import { computed, reactive, ref } from 'vue'
import { ITEMS, type Figures, type HandedIn, type Judgement, type PrecheckItem } from '@/api/precheck'
import { StoppedError, whenStopped } from '@/rtc/precheck/waiting'

export type RowState = 'waiting' | 'running' | 'done' | 'unmeasured'

export interface Row {
  item: PrecheckItem
  state: RowState
  figures: Figures | null
  judgement: Judgement | null
  reason: string
}

export type Measure = (stop: AbortSignal) => Promise<Figures>

export interface RunOptions {
  measure: (item: PrecheckItem) => Measure
  judge: (item: PrecheckItem, figures: Figures) => Promise<Judgement>
  now: () => number
}

/** A device or a line that never answers holds up nobody. What people are asked has no limit. All together are less than ten minutes. */
export const LIMITS_MS: Partial<Record<PrecheckItem, number>> = {
  camera: 40_000,
  light: 20_000,
  microphone: 40_000,
  loudspeaker: 40_000,
  echo: 60_000,
  network: 150_000,
  clock: 20_000,
}
const TICK_MS = 250

export function usePrecheckRun({ measure, judge, now }: RunOptions) {
  const fresh = (item: PrecheckItem): Row => ({ item, state: 'waiting', figures: null, judgement: null, reason: '' })
  const rows = reactive<Row[]>(ITEMS.map(fresh))
  const begun = ref(false)
  const paused = ref(false)
  const current = ref<PrecheckItem | null>(null)
  const usedMs = ref(0)
  /** what is still to be measured without being asked again */
  let queue: PrecheckItem[] = []
  let stop: AbortController | null = null
  let active = false
  let tickedAt = 0
  let timer: ReturnType<typeof setInterval> | undefined

  const row = (item: PrecheckItem): Row => rows.find((each) => each.item === item) ?? fresh(item)
  const next = computed(() => rows.find((each) => each.state === 'waiting')?.item ?? null)
  const open = computed(() => rows.filter((each) => each.state === 'waiting' || each.state === 'running').length)
  const unmeasured = computed(() => rows.find((each) => each.state === 'unmeasured') ?? null)
  /** the first red one without a reason */
  const red = computed(() => rows.find((each) => each.judgement?.verdict === 'failed' && !each.reason) ?? null)
  const ready = computed(() => open.value === 0 && !unmeasured.value && !red.value)

  function begin(items: readonly PrecheckItem[] = ITEMS): void {
    begun.value = true
    queue = items.filter((item) => row(item).state === 'waiting')
    void goOn()
  }

  function pause(): void {
    paused.value = true
    stop?.abort()
  }

  function resume(): void {
    paused.value = false
    void goOn()
  }

  /** What is being measured waits for its turn again. */
  function repeat(item: PrecheckItem): void {
    const running = current.value
    Object.assign(row(item), fresh(item))
    queue = [item, ...queue.filter((each) => each !== item)]
    if (running !== null && running !== item && !queue.includes(running)) queue.splice(1, 0, running)
    paused.value = false
    stop?.abort()
    void goOn()
  }

  /** Nothing becomes of it where it was measured meanwhile. */
  function skip(item: PrecheckItem, reason: string): void {
    if (row(item).state === 'done') return
    Object.assign(row(item), fresh(item), { state: 'done', judgement: { verdict: 'skipped', faults: [] }, reason })
    queue = queue.filter((each) => each !== item)
    if (current.value === item) stop?.abort()
    else void goOn()
  }

  /** A red one is handed in nevertheless. */
  function explain(item: PrecheckItem, reason: string): void {
    row(item).reason = reason
  }

  function restart(): void {
    stop?.abort()
    for (const each of rows) Object.assign(each, fresh(each.item))
    usedMs.value = 0
    begin()
  }

  async function goOn(): Promise<void> {
    if (active) return
    active = true
    tickedAt = now()
    timer = setInterval(tick, TICK_MS)
    try {
      while (!paused.value) {
        const item = queue.shift()
        if (item === undefined) break
        await one(item)
      }
    } finally {
      tick()
      clearInterval(timer)
      active = false
      current.value = null
    }
  }

  async function one(item: PrecheckItem): Promise<void> {
    const own = (stop = new AbortController())
    const its = row(item)
    its.state = 'running'
    current.value = item
    const limit = LIMITS_MS[item]
    const over = limit === undefined ? undefined : setTimeout(() => own.abort('late'), limit)
    try {
      // A question of the browser may stay unanswered: nobody waits for it.
      const figures = await whenStopped(own.signal, measure(item)(own.signal))
      const judgement = await judge(item, figures)
      if (own.signal.aborted && own.signal.reason !== 'late') throw new StoppedError()
      Object.assign(its, { state: 'done', figures, judgement, reason: '' })
    } catch {
      // `skip` and `repeat` have said already what becomes of it.
      if (its.state !== 'running') return
      if (own.signal.aborted && own.signal.reason !== 'late') {
        its.state = 'waiting'
        if (!queue.includes(item)) queue.unshift(item)
      } else its.state = 'unmeasured'
    } finally {
      clearTimeout(over)
      own.abort()
    }
  }

  function tick(): void {
    const at = now()
    if (!paused.value && active) usedMs.value += at - tickedAt
    tickedAt = at
  }

  function sheet(): HandedIn {
    return { took_ms: Math.round(usedMs.value), items: rows.map(({ item, figures, reason }) => ({ item, figures, reason })) }
  }

  function close(): void {
    queue = []
    stop?.abort()
  }

  return { rows, begun, paused, current, next, open, unmeasured, red, ready, usedMs, begin, pause, resume, repeat, skip, explain, restart, sheet, close }
}

export type PrecheckRun = ReturnType<typeof usePrecheckRun>
