/** What the link opens, looked at again and again; what is written stays untouched by that. */
import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import { department, type DepartmentCase, type DepartmentDoor } from '@/api/department'
import type { Kept } from '@/api/http'
import { RequestError } from '@/api/room-socket'
import { addressOf, caseInAddress } from '@/components/case-address'
import { inOrder, isOpen } from './standing'

const LOOK_MS = 15_000
const RETRY_MS = 4000

export type Way = 'opening' | 'open' | 'dead' | 'lost'

export function useDepartment(code: string) {
  const api = department(code)
  const door = shallowRef<DepartmentDoor | null>(null)
  const way = ref<Way>('opening')
  const offline = ref(false)
  const nowMs = ref(Date.now())
  const chosen = ref<string | null>(caseInAddress(window.location.hash))
  /** what was shown without a choice: a more urgent one that comes does not take the place of what is being answered */
  const staying = ref<string | null>(null)
  const similar = shallowRef<{ id: string; texts: string[] } | null>(null)
  let kept: Kept<DepartmentDoor> | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let turn = 0
  let similarOf: string | null = null
  let stopped = false

  const cases = computed(() => inOrder(door.value?.cases ?? []))
  const left = computed(() => cases.value.filter(isOpen))
  /** the chosen one; without a choice the most urgent */
  const current = computed(() => (chosen.value ? found(chosen.value) : (found(staying.value) ?? cases.value[0] ?? null)))
  const moved = computed(() => chosen.value !== null && current.value === null && door.value !== null)

  function found(id: string | null): DepartmentCase | null {
    return cases.value.find((each) => each.id === id) ?? null
  }

  async function look(): Promise<void> {
    clearTimeout(timer)
    const now = (turn += 1)
    try {
      const got = await api.door(kept)
      // An answer to an older question may come after that to a newer one.
      if (stopped || now !== turn) return
      if (got !== kept) {
        kept = got
        door.value = got.body
        stay()
      }
      offline.value = false
      way.value = 'open'
    } catch (error) {
      if (stopped || now !== turn) return
      failed(error)
    }
    nowMs.value = Date.now()
    // A link that opens nothing never will again.
    if (way.value !== 'dead') timer = setTimeout(() => void look(), offline.value ? RETRY_MS : LOOK_MS)
  }

  function stay(): void {
    if (chosen.value === null) staying.value = current.value?.id ?? null
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
    similarOf = id
    try {
      const { similar: texts } = await api.one(id)
      if (similarOf === id) similar.value = { id, texts }
    } catch (error) {
      if (similarOf === id) failed(error)
    }
  }

  function choose(id: string): void {
    const first = chosen.value === null
    chosen.value = id
    window.history[first ? 'pushState' : 'replaceState'](null, '', addressOf(id))
    window.scrollTo(0, 0)
  }

  function put(one: DepartmentCase): void {
    if (!door.value) return
    // The one in hand stays open, wherever its place in the order is now; who has gone on to another one stays there.
    if (current.value?.id === one.id) chosen.value = one.id
    door.value = { ...door.value, cases: door.value.cases.map((each) => (each.id === one.id ? one : each)) }
    kept = null
  }

  function drop(id: string): void {
    if (!door.value) return
    door.value = { ...door.value, cases: door.value.cases.filter((each) => each.id !== id) }
    kept = null
    if (chosen.value !== null && chosen.value !== id) return
    chosen.value = null
    stay()
    window.history.replaceState(null, '', window.location.pathname + window.location.search)
  }

  /** One act; null when it was done, else the code of the refusal. */
  async function act(send: (all: typeof api) => Promise<{ case: DepartmentCase }>, gone = false): Promise<string | null> {
    try {
      const { case: one } = await send(api)
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
    chosen.value = caseInAddress(window.location.hash)
    stay()
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
