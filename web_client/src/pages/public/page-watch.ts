/** Asks for the consultation again and again, as often as its state wants, and keeps what was heard last. */
import { computed, onScopeDispose, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue'
import { fetchConsultation, GoneError, type PublicConsultation } from '@/api/public'
import { phaseOf, pollMs, type Phase } from './phase'

export interface PageWatch {
  page: ShallowRef<PublicConsultation | null>
  phase: ComputedRef<Phase | null>
  gone: Ref<boolean>
  /** since when nothing was heard, device time; null: all is well */
  offlineSince: Ref<number | null>
  /** server's time of day, minute by minute */
  nowMs: Ref<number>
}

const MINUTE_TICK_MS = 5000

export function usePageWatch(cid: string, text: Ref<boolean>): PageWatch {
  const page = shallowRef<PublicConsultation | null>(null)
  const gone = ref(false)
  const offlineSince = ref<number | null>(null)
  const aheadMs = ref(0)
  const nowMs = ref(Date.now())
  const phase = computed(() => (page.value ? phaseOf(page.value, nowMs.value) : null))
  let failures = 0
  let turn = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopped = false

  async function ask(): Promise<void> {
    clearTimeout(timer)
    const now = (turn += 1)
    try {
      const { body, aheadMs: ahead } = await fetchConsultation(cid)
      // An answer to an older question may come after that to a newer one.
      if (stopped || now !== turn) return
      if (ahead !== null) aheadMs.value = ahead
      // The same words are no news: nothing is drawn again.
      if (JSON.stringify(body) !== JSON.stringify(page.value)) page.value = body
      gone.value = false
      failures = 0
      offlineSince.value = null
    } catch (error) {
      if (stopped || now !== turn) return
      failures += 1
      if (error instanceof GoneError) {
        gone.value = true
        page.value = null
      } else offlineSince.value ??= Date.now()
    }
    nowMs.value = Date.now() + aheadMs.value
    const begins = page.value?.scheduled_at_ms ?? null
    timer = setTimeout(() => void ask(), gone.value ? 15_000 : pollMs(phase.value, text.value, begins === null ? null : begins - nowMs.value, failures, Math.random()))
  }

  const tick = setInterval(() => (nowMs.value = Date.now() + aheadMs.value), MINUTE_TICK_MS)
  const seen = (): void => {
    if (document.visibilityState === 'visible') void ask()
  }
  document.addEventListener('visibilitychange', seen)
  window.addEventListener('online', seen)
  onScopeDispose(() => {
    stopped = true
    clearTimeout(timer)
    clearInterval(tick)
    document.removeEventListener('visibilitychange', seen)
    window.removeEventListener('online', seen)
  })
  void ask()
  return { page, phase, gone, offlineSince, nowMs }
}
