/** The trace across consultations, newest first, page by page. */
import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowRef } from 'vue'
import type { AcrossLine, AcrossQuery } from '@/api/administration'
import { useAdministration } from './administration'

const PAGE = 100
const DAY_MS = 86_400_000

/** Of a field for days: the beginning of the day here, or `days` later; null while nothing is chosen. */
export function dayMs(day: string, days = 0): number | null {
  const ms = day ? new Date(`${day}T00:00:00`).getTime() : NaN
  return Number.isNaN(ms) ? null : ms + days * DAY_MS
}

export const useAdminAudit = defineStore('admin-audit', () => {
  const office = useAdministration()
  const wanted = reactive({ consultation: '', title: '', action: '', actor: '', from: '', until: '' })
  const lines = shallowRef<AcrossLine[]>([])
  const next = ref<string | null>(null)
  /** how far back was looked, while there is more */
  const reached = ref<number | null>(null)
  const state = ref<'reading' | 'ready' | 'failed'>('reading')
  const loading = ref(false)
  let asked = 0

  const query = computed<AcrossQuery>(() => ({
    consultation: wanted.consultation,
    action: wanted.action,
    actor: wanted.actor,
    since_ms: dayMs(wanted.from),
    until_ms: dayMs(wanted.until, 1),
  }))

  async function read(before: string | null): Promise<void> {
    const turn = (asked += 1)
    loading.value = true
    try {
      const page = await office.ask((calls) => calls.audit(query.value, before, PAGE))
      if (turn !== asked || !page) return
      lines.value = before === null ? page.items : [...lines.value, ...page.items]
      next.value = page.next
      reached.value = page.looked_until_ms
      state.value = 'ready'
    } catch {
      if (turn === asked) state.value = 'failed'
    } finally {
      if (turn === asked) loading.value = false
    }
  }

  const load = (): Promise<void> => read(null)
  const more = async (): Promise<void> => {
    if (next.value !== null && !loading.value) await read(next.value)
  }

  return { wanted, query, lines, next, reached, state, loading, load, more }
})
