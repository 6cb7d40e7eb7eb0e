/** What the link opens, looked at again and again; what is written stays untouched by that. */
import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import { department, type DepartmentCase, type DepartmentDoor } from '@/api/department'
import type { Kept } from '@/api/http'
import { RequestError } from '@/api/room-socket'
import { inOrder, isOpen } from './standing'

const LOOK_MS = 15_000
const RETRY_MS = 4000
const IN_ADDRESS = /^#case=([\w-]+)$/

export type Way = 'opening' | 'open' | 'dead' | 'lost'

export function useDepartment(code: string) {
  const api = department(code)
  const door = shallowRef<DepartmentDoor | null>(null)
  const way = ref<Way>('opening')
  const offline = ref(false)
  const nowMs = ref(Date.now())
  const chosen = ref<string | null>(IN_ADDRESS.exec(window.location.hash)?.[1] ?? null)
  const similar = shallowRef<{ id: string; texts: string[] } | null>(null)
  let kept: Kept<DepartmentDoor> | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopped = false

  const cases = computed(() => inOrder(door.value?.cases ?? []))
  const left = computed(() => cases.value.filter(isOpen))
  /** the chosen one; without a choice the most urgent */
  const current = computed(() => (chosen.value ? (cases.value.find((each) => each.id === chosen.value) ?? null) : (cases.value[0] ?? null)))
  const moved = computed(() => chosen.value !== null && current.value === null && door.value !== null)

  async function look(): Promise<void> {
    clearTimeout(timer)
    try {
      const got = await api.door(kept)
      if (stopped) return
      if (got !== kept) {
        kept = got
        door.value = got.body
      }
      offline.value = false
      way.value = 'open'
    } catch (error) {
      if (stopped) return
      failed(error)
    }
    nowMs.value = Date.now()
    // A link that opens nothing never will again.
    if (way.value !== 'dead') timer = setTimeout(() => void look(), offline.value ? RETRY_MS : LOOK_MS)
  }

  function failed(error: unknown): void {
    const code = error instanceof RequestError ? error.code : ''
    if (code === 'link_not_found' || code === 'link_invalid') {
      way.value = 'dead'
      door.value = null
      return
    }
    // What is shown stays; only a page that shows nothing says so in large words.
    offline.value = code !== 'rate_limited'
    if (!door.value) way.value = 'lost'
  }

  async function loadSimilar(id: string): Promise<void> {
    if (similar.value?.id === id) return
    try {
      similar.value = { id, texts: (await api.one(id)).similar }
    } catch (error) {
      failed(error)
    }
  }

  function choose(id: string): void {
    const first = chosen.value === null
    chosen.value = id
    window.history[first ? 'pushState' : 'replaceState'](null, '', `#case=${id}`)
    window.scrollTo(0, 0)
  }

  function put(one: DepartmentCase): void {
    if (!door.value) return
    door.value = { ...door.value, cases: door.value.cases.map((each) => (each.id === one.id ? one : each)) }
    // The one in hand stays open, wherever its place in the order is now.
    chosen.value = one.id
    kept = null
  }

  function drop(id: string): void {
    if (!door.value) return
    door.value = { ...door.value, cases: door.value.cases.filter((each) => each.id !== id) }
    chosen.value = null
    window.history.replaceState(null, '', window.location.pathname + window.location.search)
    kept = null
  }

  /** One act; null when it was done, else the code of the refusal. */
  async function act(turn: (all: typeof api) => Promise<{ case: DepartmentCase }>, gone = false): Promise<string | null> {
    try {
      const { case: one } = await turn(api)
      if (gone) drop(one.id)
      else put(one)
      void look()
      return null
    } catch (error) {
      const refusal = error instanceof RequestError ? error.code : 'other'
      if (refusal === 'link_not_found' || refusal === 'link_invalid') failed(error)
      else void look()
      return refusal
    }
  }

  const follow = (): void => {
    chosen.value = IN_ADDRESS.exec(window.location.hash)?.[1] ?? null
  }
  const seen = (): void => {
    if (document.visibilityState === 'visible' && way.value !== 'dead') void look()
  }
  window.addEventListener('popstate', follow)
  document.addEventListener('visibilitychange', seen)
  window.addEventListener('online', seen)
  onScopeDispose(() => {
    stopped = true
    clearTimeout(timer)
    window.removeEventListener('popstate', follow)
    document.removeEventListener('visibilitychange', seen)
    window.removeEventListener('online', seen)
  })
  void look()

  return { door, way, offline, nowMs, cases, left, current, moved, similar, look, loadSimilar, choose, act }
}
