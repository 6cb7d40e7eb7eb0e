/** A switch that this device remembers; where storage is refused, as long as the page. */
import { ref, watch, type Ref } from 'vue'

export function remembered(key: string, first: boolean): Ref<boolean> {
  let kept: string | null = null
  try {
    kept = window.localStorage.getItem(key)
  } catch {
    // as if nothing was kept
  }
  const on = ref(kept === null ? first : kept === 'on')
  watch(on, (now) => {
    try {
      window.localStorage.setItem(key, now ? 'on' : 'off')
    } catch {
      // The choice then lasts as long as the page.
    }
  })
  return on
}
