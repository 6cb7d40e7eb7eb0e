/** The newest words beside the livestream: they come with the page, before the picture, and wait for it. */
import { computed, shallowRef, watch, type ComputedRef } from 'vue'
import type { PublicCaption } from '@/api/public'
import { gathered, under } from './spoken-text'

const KEPT = 20

export function useLiveCaptions(told: () => PublicCaption[] | null, programMs: () => number | null): ComputedRef<PublicCaption[]> {
  const heard = shallowRef<PublicCaption[]>([])
  watch(
    told,
    (captions) => {
      // None at all: cut off, or nobody writes any.
      heard.value = captions ? gathered(heard.value, captions, KEPT) : []
    },
    { immediate: true },
  )
  return computed(() => {
    const now = programMs()
    // A player that does not tell its time shows what there is.
    return now === null ? (told() ?? []) : under(heard.value, now)
  })
}
