/** The rules of bodies and what they use, as the administrator who is logged in sees them. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { BodyRules, RuleBook, Rules } from '@/api/administration'
import { treeOf, useAdministration } from './administration'

export interface RulesRow {
  body: BodyRules
  /** 0: nobody stands above it that one may see */
  depth: number
}

/** What is typed into a field: a whole number within the bounds, null when it is empty, undefined when it is neither. */
export function limitOf(text: string, least: number, most: number): number | null | undefined {
  const typed = text.trim().normalize('NFKC')
  if (!typed) return null
  if (!/^\d{1,9}$/.test(typed)) return undefined
  const value = Number(typed)
  return value >= least && value <= most ? value : undefined
}

/** Whether recordings that were kept are deleted under the new days; 0 keeps for ever. */
export function deletesMore(before: number | null, after: number | null, server: number): boolean {
  const [kept, keeps] = [before ?? server, after ?? server]
  return keeps !== 0 && (kept === 0 || keeps < kept)
}

export const useAdminRules = defineStore('admin-rules', () => {
  const office = useAdministration()
  const book = shallowRef<RuleBook | null>(null)
  const state = ref<'reading' | 'ready' | 'failed'>('reading')
  /** what is shown is older than the last try */
  const stale = ref(false)

  const rows = computed<RulesRow[]>(() => {
    const items = book.value?.items ?? []
    const bodies = new Map(items.map((each) => [each.organization.id, each]))
    return treeOf(items.map((each) => each.organization)).flatMap(({ organization, depth }) => {
      const body = bodies.get(organization.id)
      return body ? [{ body, depth }] : []
    })
  })
  const tight = computed(() => (book.value?.items ?? []).filter((each) => each.use.fill !== 'ok'))

  async function load(): Promise<void> {
    try {
      const read = await office.ask((calls) => calls.rules())
      if (!read) return
      book.value = read
      state.value = 'ready'
      stale.value = false
    } catch {
      stale.value = true
      if (!book.value) state.value = 'failed'
    }
  }

  function retry(): Promise<void> {
    state.value = 'reading'
    return load()
  }

  async function save(id: string, rules: Rules): Promise<void> {
    const changed = await office.ask((calls) => calls.changeRules(id, rules))
    if (!changed || !book.value) return
    book.value = { ...book.value, items: book.value.items.map((each) => (each.organization.id === id ? changed : each)) }
  }

  return { book, state, stale, rows, tight, load, retry, save }
})
