/** The one clock of all pages: 会议时间, kept by the server and run on by this device; and the server's time of day. */
import { defineStore } from 'pinia'
import { computed, markRaw, ref } from 'vue'
import { clockText, ProgramClock } from './program-clock'

const TICK_MS = 200

export const useClock = defineStore('clock', () => {
  const clock = markRaw(new ProgramClock())
  const programMs = ref<number | null>(null)
  const wallMs = ref(Date.now())
  let wallOffset = Date.now() - performance.now()
  const read = (): void => {
    programMs.value = clock.at(performance.now())
    wallMs.value = performance.now() + wallOffset
  }
  setInterval(read, TICK_MS)
  document.addEventListener('visibilitychange', read)

  function anchor(programTimeMs: number | null, serverTimeMs: number): void {
    wallOffset = serverTimeMs - performance.now()
    clock.anchor(programTimeMs, performance.now())
    read()
  }

  const text = computed(() => (programMs.value === null ? null : clockText(programMs.value)))

  return { programMs, wallMs, text, anchor }
})
