/** The one clock of all pages: 会议时间, kept by the server and run on by this device. */
import { defineStore } from 'pinia'
import { computed, markRaw, ref } from 'vue'
import { clockText, ProgramClock } from './program-clock'

const TICK_MS = 200

export const useClock = defineStore('clock', () => {
  const clock = markRaw(new ProgramClock())
  const programMs = ref<number | null>(null)
  const read = (): void => {
    programMs.value = clock.at(performance.now())
  }
  setInterval(read, TICK_MS)
  document.addEventListener('visibilitychange', read)

  function anchor(programTimeMs: number | null): void {
    clock.anchor(programTimeMs, performance.now())
    read()
  }

  const text = computed(() => (programMs.value === null ? null : clockText(programMs.value)))

  return { programMs, text, anchor }
})
