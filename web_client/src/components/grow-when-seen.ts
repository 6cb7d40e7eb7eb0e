/** A long list shows its beginning and grows when its end comes into sight, so that a thousand rows cost no more than a screenful. */
import { computed, onBeforeUnmount, ref, watch, type ComputedRef, type Ref } from 'vue'

const STEP = 60

/** `end` is the element after the last row. `further` is asked when everything that is here is shown; with another `key` the list begins anew. */
export function useGrowing<T>(
  end: Readonly<Ref<HTMLElement | null>>,
  list: () => readonly T[],
  key: () => unknown,
  further: () => void = () => undefined,
): ComputedRef<T[]> {
  const size = ref(STEP)
  const shown = computed(() => list().slice(0, size.value))
  const watcher =
    typeof IntersectionObserver === 'undefined'
      ? null
      : new IntersectionObserver(
          (seen) => {
            if (seen.some((each) => each.isIntersecting)) grow()
          },
          { rootMargin: '600px' },
        )

  function grow(): void {
    if (size.value < list().length) {
      size.value += STEP
      look()
    } else further()
  }

  /** The observer speaks only when something changes; the end may be in sight still. */
  function look(): void {
    if (!watcher || !end.value) return
    watcher.unobserve(end.value)
    watcher.observe(end.value)
  }

  watch(end, (element, before) => {
    if (before) watcher?.unobserve(before)
    if (element) watcher?.observe(element)
  })
  watch(key, () => (size.value = STEP))
  // What `further` brought may lie wholly behind what is shown: then nothing moved.
  watch(() => list().length, look, { flush: 'post' })
  onBeforeUnmount(() => watcher?.disconnect())

  return shown
}
