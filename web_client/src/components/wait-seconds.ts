/** Counts the seconds down that the server asks to wait after too many tries. */
import { computed, onBeforeUnmount, ref, type ComputedRef } from 'vue'

export function useWaitSeconds(): { left: ComputedRef<number>; wait: (seconds: number) => void } {
  const until = ref(0)
  const now = ref(Date.now())
  const timer = setInterval(() => (now.value = Date.now()), 250)
  onBeforeUnmount(() => clearInterval(timer))
  const left = computed(() => Math.max(0, Math.ceil((until.value - now.value) / 1000)))

  function wait(seconds: number): void {
    now.value = Date.now()
    until.value = now.value + seconds * 1000
  }

  return { left, wait }
}
