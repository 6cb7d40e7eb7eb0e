/** A field that is saved while it is written: after a pause, and when it loses the focus. What comes from the server never overwrites what is being typed. */
import { onBeforeUnmount, ref, watch, type Ref } from 'vue'

const PAUSE_MS = 900

export interface AutoSaved {
  text: Ref<string>
  typed: () => void
  flush: () => void
}

/** `good` says whether the text may be saved at all. */
export function useAutoSaved(server: () => string, save: (text: string) => void, good: (text: string) => boolean = () => true): AutoSaved {
  const text = ref(server())
  let dirty = false
  let pause: ReturnType<typeof setTimeout> | undefined

  watch(server, (next) => {
    if (!dirty) text.value = next
  })

  function typed(): void {
    dirty = true
    clearTimeout(pause)
    pause = setTimeout(flush, PAUSE_MS)
  }

  function flush(): void {
    clearTimeout(pause)
    if (!dirty || !good(text.value)) return
    dirty = false
    if (text.value.trim() !== server()) save(text.value.trim())
    else text.value = server()
  }

  onBeforeUnmount(flush)

  return { text, typed, flush }
}
