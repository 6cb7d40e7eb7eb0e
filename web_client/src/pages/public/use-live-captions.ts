/** The newest words beside the livestream: they come with the page, before the picture, and wait for it. */
import { computed, shallowRef, watch, type ComputedRef } from 'vue'
import type { PublicCaption, TimedCaption } from '@/api/public'
import { gathered, isTimed, under } from './spoken-text'

const KEPT = 20

export function useLiveCaptions(told: () => PublicCaption[] | null, programMs: () => number | null): ComputedRef<PublicCaption[]> {
  const heard = shallowRef<TimedCaption[]>([])
  watch(
    told,
    (captions) => {
      // None at all: cut off, or nobody writes any.
      heard.value = captions ? gathered(heard.value, captions.filter(isTimed), KEPT) : []
    },
    { immediate: true },
  )
  return computed(() => {
    const now = programMs()
    // A player that does not tell its time shows what there is.
    return now === null ? (told() ?? []) : under(heard.value, now)
  })
}
