/** Which group of the queue one is at, which ones are marked, and what one is doing with it. */
import { defineStore } from 'pinia'
import { computed, ref, shallowReactive, watch } from 'vue'
import { useComments } from './comments'

/** `reject`: a reason is being chosen; `merge`: the group to merge into; `split`: the comments to split off. */
export type CursorMode = 'reject' | 'merge' | 'split' | null

/** Rows as near to the top as this are always drawn. */
export const NEAR = 40

export const useCommentCursor = defineStore('comment-cursor', () => {
  const comments = useComments()
  const at = ref<string | null>(null)
  const marked = shallowReactive(new Set<string>())
  const mode = ref<CursorMode>(null)
  /** where a range of marks begins */
  const anchor = ref<string | null>(null)
  /** what is merged into the group that is chosen next */
  const merging = ref<readonly string[]>([])
  let place = 0

  const group = computed(() => (at.value === null ? null : (comments.groups.get(at.value) ?? null)))
  /** the marked ones, or the one that one is at */
  const chosen = computed<string[]>(() => {
    const ids = comments.rows.filter((id) => marked.has(id))
    if (ids.length) return ids
    return at.value === null ? [] : [at.value]
  })

  function go(id: string | null): void {
    at.value = id
    if (id !== null) place = Math.max(0, comments.rows.indexOf(id))
    if (mode.value !== 'merge') mode.value = null
  }

  /** One row down or up; true when there was one. */
  function move(step: 1 | -1): boolean {
    const now = at.value === null ? -1 : comments.rows.indexOf(at.value)
    const next = comments.rows[now < 0 ? 0 : now + step]
    if (next === undefined) return false
    go(next)
    return true
  }

  /** Before rows go: the cursor is on the first row behind them that stays, or else before them. */
  function pass(ids: readonly string[]): void {
    const gone = new Set(ids)
    if (at.value === null || !gone.has(at.value)) return
    const from = comments.rows.indexOf(at.value)
    const next = comments.rows.slice(from).find((id) => !gone.has(id)) ?? comments.rows.slice(0, from).findLast((id) => !gone.has(id))
    go(next ?? null)
  }

  function toggle(id: string): void {
    if (!marked.delete(id)) marked.add(id)
    anchor.value = id
  }

  /** From the last marked row to this one. */
  function range(id: string): void {
    const [from, to] = [comments.rows.indexOf(anchor.value ?? id), comments.rows.indexOf(id)].sort((one, two) => one - two) as [number, number]
    for (const each of comments.rows.slice(Math.max(0, from), to + 1)) marked.add(each)
    anchor.value = id
  }

  function clear(): void {
    marked.clear()
    anchor.value = null
  }

  // Of rows that went nothing is left over; somebody is always at a row where there is one.
  watch(
    () => comments.rows,
    (rows) => {
      for (const id of marked) if (!rows.includes(id)) marked.delete(id)
      if (at.value === null || !rows.includes(at.value)) go(rows[Math.min(place, rows.length - 1)] ?? null)
      // While nobody is at a row the first one has its turn when so many came that this one is out of sight.
      else if (!comments.held && rows.indexOf(at.value) >= NEAR) go(rows[0] ?? null)
      else place = rows.indexOf(at.value)
    },
  )

  return { at, group, marked, mode, merging, chosen, go, move, pass, toggle, range, clear }
})
