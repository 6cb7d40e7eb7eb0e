/** The trace across consultations, newest first, page by page. */
import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowRef } from 'vue'
import type { AcrossLine, AcrossPage, AcrossQuery } from '@/api/administration'
import { useAdministration } from './administration'

const PAGE = 100
const LARGEST_PAGE = 500
/** lines of one table: what spreadsheet programs open without waiting */
export const MOST_LINES = 10_000
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
  /** a table is being made */
  const gathering = ref(false)
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

  /** All that is found, the newest first, for a table. `cut`: there is more than it may hold. Raises what stood in the way. */
  async function whole(): Promise<{ lines: AcrossLine[]; cut: boolean } | null> {
    if (gathering.value) return null
    gathering.value = true
    const wish = query.value
    const found: AcrossLine[] = []
    try {
      let before: string | null = null
      do {
        const from: string | null = before
        const page: AcrossPage | undefined = await office.ask((calls) => calls.audit(wish, from, LARGEST_PAGE))
        if (!page) return null // the session has run out
        found.push(...page.items)
        before = page.next
      } while (before !== null && found.length < MOST_LINES)
      return { lines: found.slice(0, MOST_LINES), cut: before !== null || found.length > MOST_LINES }
    } finally {
      gathering.value = false
    }
  }

  const load = (): Promise<void> => read(null)
  const more = async (): Promise<void> => {
    if (next.value !== null && !loading.value) await read(next.value)
  }

  return { wanted, query, lines, next, reached, state, loading, gathering, load, more, whole }
})
