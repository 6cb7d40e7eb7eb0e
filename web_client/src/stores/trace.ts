/** The trace as it is read: newest first, page by page, with its head. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { trace, type TraceLine } from '@/api/trace'
import { useActs } from './acts'
import { useSession } from './session'

const PAGE = 100

export const useTrace = defineStore('trace', () => {
  const acts = useActs()
  const session = useSession()
  const lines = shallowRef<TraceLine[]>([])
  const next = ref<number | null>(null)
  /** the newest line of all, whose hash stands for the whole chain */
  const head = shallowRef<TraceLine | null>(null)
  const loading = ref(false)
  const loaded = ref(false)
  const action = ref('')
  const actor = ref('')
  /** everybody who was seen in the lines, by id, with the newest name */
  const people = shallowRef(new Map<string, string>())
  let asked = 0

  const page = (before: number | null, limit: number, filtered: boolean) =>
    acts.run((http) => trace(http, session.cid).page({ limit, before, ...(filtered ? { action: action.value, actor: actor.value } : {}) }))

  async function load(): Promise<void> {
    const turn = (asked += 1)
    loading.value = true
    const filtered = action.value !== '' || actor.value !== ''
    const [found, newest] = await Promise.all([page(null, PAGE, true), filtered ? page(null, 1, false) : null])
    if (turn !== asked) return
    loading.value = false
    if (!found) return
    loaded.value = true
    lines.value = found.value.items
    next.value = found.value.next
    head.value = (newest ?? found).value.items[0] ?? null
    meet(found.value.items)
  }

  async function more(): Promise<void> {
    if (next.value === null || loading.value) return
    const turn = asked
    loading.value = true
    const found = await page(next.value, PAGE, true)
    loading.value = false
    if (!found || turn !== asked) return
    lines.value = [...lines.value, ...found.value.items]
    next.value = found.value.next
    meet(found.value.items)
  }

  function meet(found: readonly TraceLine[]): void {
    const all = new Map(people.value)
    for (const line of found) {
      const name = line.names.by_name
      if (line.actor_id && name && !all.has(line.actor_id)) all.set(line.actor_id, name)
    }
    if (all.size !== people.value.size) people.value = all
  }

  const takeArchive = (name: string): Promise<void> => acts.download(name, (http) => trace(http, session.cid).archive())

  return { lines, next, head, loading, loaded, action, actor, people, load, more, takeArchive }
})
