/** Draws only the rows of a long list that are in sight, and the one that must not be lost: it has the focus. */
import { computed, nextTick, onBeforeUnmount, ref, watch, type ComputedRef, type Ref } from 'vue'
import { RowHeights } from './row-heights'

/** drawn beyond what is in sight, above and below */
const BEYOND_PX = 600
const FIRST_VIEW_PX = 900
const SETTLING_TURNS = 6
const EDGE_PX = 96

export interface VirtualRow<T> {
  row: T
  at: number
  top: number
}

interface Options<T> {
  rows: () => readonly T[]
  keyOf: (row: T) => string
  /** height in CSS pixels before it was drawn */
  estimate: (row: T) => number
  /** key of the row that is always drawn */
  pinned: () => string | null
}

export interface VirtualRows<T> {
  shown: ComputedRef<VirtualRow<T>[]>
  total: ComputedRef<number>
  /** `ref` of a drawn row's element */
  measure: (key: string, element: Element | null) => void
  /** Bring a row into sight, with so much room above and below; where it is wholly in sight nothing moves. */
  reveal: (key: string, edgePx?: number) => Promise<void>
}

export function useVirtualRows<T>(scroller: Readonly<Ref<HTMLElement | null>>, options: Options<T>): VirtualRows<T> {
  const heights = new RowHeights()
  const top = ref(0)
  const view = ref(FIRST_VIEW_PX)
  const width = ref(0)
  /** one more with each height that changed */
  const changes = ref(0)
  const elements = new Map<string, Element>()
  const keyed = new WeakMap<Element, string>()

  const index = computed(() => {
    const rows = options.rows()
    const keys = rows.map((row) => options.keyOf(row))
    heights.use(keys, (at) => options.estimate(rows[at] as T))
    return { rows, keys, place: new Map(keys.map((key, at) => [key, at])) }
  })
  const total = computed(() => {
    void changes.value
    void index.value
    return heights.total
  })
  const shown = computed<VirtualRow<T>[]>(() => {
    void changes.value
    const { rows, place } = index.value
    if (rows.length === 0) return []
    const first = heights.at(top.value - BEYOND_PX)
    const last = heights.at(top.value + view.value + BEYOND_PX)
    const drawn: VirtualRow<T>[] = []
    const add = (at: number): void => void drawn.push({ row: rows[at] as T, at, top: heights.top(at) })
    const kept = place.get(options.pinned() ?? '') ?? -1
    if (kept >= 0 && kept < first) add(kept)
    for (let at = first; at <= last; at += 1) add(at)
    if (kept > last) add(kept)
    return drawn
  })

  const observer = typeof ResizeObserver === 'undefined' ? null : new ResizeObserver(resized)

  function resized(entries: ResizeObserverEntry[]): void {
    const element = scroller.value
    if (!element) return
    let above = 0
    let changed = false
    for (const entry of entries) {
      if (entry.target === element) {
        view.value = element.clientHeight
        if (width.value !== element.clientWidth) {
          if (width.value) heights.forget()
          width.value = element.clientWidth
          for (const [key, each] of elements) heights.set(key, each.getBoundingClientRect().height)
          changed = true
        }
        continue
      }
      const key = keyed.get(entry.target)
      const at = key === undefined ? undefined : index.value.place.get(key)
      if (key === undefined || at === undefined || !entry.target.isConnected) continue
      const bottom = heights.top(at) + heights.height(at)
      const grown = heights.set(key, entry.borderBoxSize[0]?.blockSize ?? entry.contentRect.height)
      if (!grown) continue
      changed = true
      if (bottom <= element.scrollTop) above += grown
    }
    if (!changed) return
    changes.value += 1
    // What is in sight stays where it is while rows above it get their real height.
    if (above) void nextTick(() => (element.scrollTop += above))
  }

  function measure(key: string, element: Element | null): void {
    const before = elements.get(key)
    if (before === element) return
    if (before) observer?.unobserve(before)
    if (element) {
      elements.set(key, element)
      keyed.set(element, key)
      observer?.observe(element)
    } else elements.delete(key)
  }

  let asked = false
  function scrolled(): void {
    if (asked) return
    asked = true
    requestAnimationFrame(() => {
      asked = false
      if (scroller.value) top.value = scroller.value.scrollTop
    })
  }

  async function reveal(key: string, edgePx = EDGE_PX): Promise<void> {
    for (let turn = 0; turn < SETTLING_TURNS; turn += 1) {
      const element = scroller.value
      const at = index.value.place.get(key)
      if (!element || at === undefined) return
      const from = heights.top(at)
      const to = from + heights.height(at)
      const edge = Math.min(edgePx, element.clientHeight / 4)
      let wanted = element.scrollTop
      if (from - edge < wanted) wanted = from - edge
      else if (to + edge > wanted + element.clientHeight) wanted = Math.min(from - edge, to + edge - element.clientHeight)
      wanted = Math.max(0, Math.min(wanted, heights.total - element.clientHeight))
      if (Math.abs(wanted - element.scrollTop) < 1) {
        // What was just drawn, or grew, tells its height only after the next frame.
        if (turn > 1) return
      } else {
        element.scrollTop = wanted
        top.value = wanted
      }
      await nextTick()
      await new Promise((done) => requestAnimationFrame(done))
    }
  }

  watch(
    scroller,
    (element, before) => {
      before?.removeEventListener('scroll', scrolled)
      if (before) observer?.unobserve(before)
      if (!element) return
      element.addEventListener('scroll', scrolled, { passive: true })
      observer?.observe(element)
      view.value = element.clientHeight || FIRST_VIEW_PX
    },
    { immediate: true, flush: 'post' },
  )
  onBeforeUnmount(() => {
    scroller.value?.removeEventListener('scroll', scrolled)
    observer?.disconnect()
  })

  return { shown, total, measure, reveal }
}
