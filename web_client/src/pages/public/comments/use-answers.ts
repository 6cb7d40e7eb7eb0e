/** The public list of cases: what was answered, by whom, and what is still in hand. */
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { fetchResponses, type PublicComment, type PublicResponse, type ResponsePage } from '@/api/public-comments'

export interface Answers {
  items: ShallowRef<PublicResponse[]>
  counts: ShallowRef<ResponsePage['counts'] | null>
  medianDays: Ref<number | null>
  next: Ref<string | number | null>
  state: Ref<'loading' | 'there' | 'failed'>
  /** false when nothing was heard: what was there stays */
  look: () => Promise<boolean>
  more: () => Promise<void>
  /** Of everybody's comments: the answer to it, or to the group that it belongs to. */
  of: (comment: PublicComment) => PublicResponse | null
}

const MOST_PAGES = 40

/** `whole`: fetch all pages, for a page of its own that is searched. */
export function useAnswers(cid: string, whole = false): Answers {
  const items = shallowRef<PublicResponse[]>([])
  const counts = shallowRef<ResponsePage['counts'] | null>(null)
  const medianDays = ref<number | null>(null)
  const next = ref<string | number | null>(null)
  const state = ref<'loading' | 'there' | 'failed'>('loading')
  let asking: Promise<boolean> | null = null
  let growing: Promise<void> | null = null
  let last: Promise<unknown> = Promise.resolve()

  async function ask(): Promise<boolean> {
    try {
      const first = await fetchResponses(cid)
      let found = first.items
      let after = first.next
      // As many pages as there were before: nobody loses what they had unfolded.
      const wanted = whole ? Infinity : items.value.length
      for (let page = 1; page < MOST_PAGES && after !== null && found.length < wanted; page += 1) {
        const { items: more, next: further } = await fetchResponses(cid, after)
        found = joined(found, more)
        after = further
      }
      items.value = found
      next.value = after
      counts.value = first.counts
      medianDays.value = first.median_days
      state.value = 'there'
      return true
    } catch {
      if (state.value === 'loading') state.value = 'failed'
      return false
    }
  }
  async function grow(): Promise<void> {
    if (next.value === null) return
    try {
      const page = await fetchResponses(cid, next.value)
      items.value = joined(items.value, page.items)
      next.value = page.next
    } catch {
      // The button stays: it can be pressed again.
    }
  }
  /** One after the other: a page belongs behind the list that it was asked for with. */
  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const now = last.then(act)
    last = now
    return now
  }
  function look(): Promise<boolean> {
    asking ??= inTurn(ask).finally(() => (asking = null))
    return asking
  }
  function more(): Promise<void> {
    growing ??= inTurn(grow).finally(() => (growing = null))
    return growing
  }
  function of(comment: PublicComment): PublicResponse | null {
    return items.value.find((each) => each.comment_id === comment.id) ?? items.value.find((each) => each.group_id !== undefined && each.group_id === comment.group_id) ?? null
  }
  return { items, counts, medianDays, next, state, look, more, of }
}

/** What moved from one page to the next while they were fetched stands there once. */
function joined(items: readonly PublicResponse[], further: readonly PublicResponse[]): PublicResponse[] {
  const known = new Set(items.map((each) => each.id))
  return [...items, ...further.filter((each) => !known.has(each.id))]
}
