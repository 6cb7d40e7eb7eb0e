/** Whether something has been so for a while: what comes and goes within that time is not worth a word. */
import { onScopeDispose, ref, watch, type Ref } from 'vue'

export function useSustained(is: () => boolean, forMs: number): Ref<boolean> {
  const sustained = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  const stop = (): void => {
    clearTimeout(timer)
    sustained.value = false
  }
  watch(
    is,
    (now) => {
      stop()
      if (now) timer = setTimeout(() => (sustained.value = true), forMs)
    },
    { immediate: true },
  )
  onScopeDispose(stop)
  return sustained
}
