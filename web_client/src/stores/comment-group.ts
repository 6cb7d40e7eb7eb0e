/** The comments of the group that one is at, and which of them are marked to be split off or decided on by themselves. */
import { defineStore } from 'pinia'
import { computed, ref, shallowReactive, shallowRef, watch } from 'vue'
import type { Requests } from '@/api/messages'
import type { ModeratedComment } from '@/api/moderation'
import { useCommentCursor } from './comment-cursor'
import { useComments } from './comments'
import { useLine } from './line'

const PAGE = 100
/** A group that grows is not asked for more often. */
const PAUSE_MS = 1000

export const useCommentGroup = defineStore('comment-group', () => {
  const comments = useComments()
  const cursor = useCommentCursor()
  const line = useLine()
  const of = ref<string | null>(null)
  const items = shallowRef<readonly ModeratedComment[]>([])
  const next = ref<string | null>(null)
  const marked = shallowReactive(new Set<string>())
  let pause: ReturnType<typeof setTimeout> | undefined
  let turn = 0

  /** what the queue is about comes first, the representative above all */
  const sorted = computed(() => {
    const states: readonly string[] = comments.states
    const chief = comments.groups.get(of.value ?? '')?.representative.id
    const rank = (each: ModeratedComment): number => (each.id === chief ? 0 : states.includes(each.state) ? 1 : 2)
    return [...items.value].sort((one, two) => rank(one) - rank(two) || one.number - two.number)
  })
  const inQueue = computed(() => items.value.filter((each) => (comments.states as readonly string[]).includes(each.state)))

  /** Anew, as far as it was unrolled: nobody loses the place and the marks that they have set further down. */
  async function load(): Promise<void> {
    const id = of.value
    if (id === null || !line.up) return
    const now = (turn += 1)
    const found: ModeratedComment[] = []
    let after: string | null = null
    try {
      do {
        const answer: Requests['comments.group'][1] = await line.request('comments.group', { id, limit: PAGE, ...(after === null ? {} : { after }) })
        if (of.value !== id || now !== turn) return
        found.push(...answer.items)
        after = answer.next
      } while (after !== null && found.length < items.value.length)
    } catch {
      return // merged or decided this moment: the queue says what became of it
    }
    items.value = found
    next.value = after
    for (const each of marked) if (!items.value.some((one) => one.id === each)) marked.delete(each)
  }

  async function further(): Promise<void> {
    const [id, after] = [of.value, next.value]
    if (id === null || after === null) return
    const answer = await line.ask('comments.group', { id, after, limit: PAGE })
    if (!answer || of.value !== id || next.value !== after) return
    const known = new Set(items.value.map((each) => each.id))
    items.value = [...items.value, ...answer.items.filter((each) => !known.has(each.id))]
    next.value = answer.next
  }

  function toggle(id: string): void {
    if (!marked.delete(id)) marked.add(id)
  }

  watch(
    () => cursor.at,
    (id) => {
      clearTimeout(pause)
      of.value = id
      items.value = []
      next.value = null
      marked.clear()
      // Somebody who runs through the rows asks for those only at which they stay.
      if (id !== null) pause = setTimeout(() => void load(), 120)
    },
    { immediate: true },
  )
  watch(
    () => cursor.group,
    (now, before) => {
      if (!now || !before || now.id !== before.id || now === before) return
      clearTimeout(pause)
      pause = setTimeout(() => void load(), PAUSE_MS)
    },
  )

  return { of, items, sorted, inQueue, next, marked, load, further, toggle }
})
