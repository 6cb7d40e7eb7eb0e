/** What the page /answers/{cid} shows: the consultation, the list of cases, and which of them are one's own. Asked for while somebody looks. */
import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import { fetchConsultation, GoneError, type PublicConsultation } from '@/api/public'
import { CommentError, fetchOwn, followUp, rateResponse, type OwnResponse, type Rating } from '@/api/public-comments'
import { keptKey, readList } from '../public/comments/kept'
import { isOwn } from '../public/comments/own-comments'
import { useAnswers } from '../public/comments/use-answers'

const EVERY_MS = 30_000

export function useAnswersPage(cid: string) {
  const page = shallowRef<PublicConsultation | null>(null)
  const gone = ref(false)
  const nowMs = ref(Date.now())
  const asOfMs = ref<number | null>(null)
  const mine = shallowRef<ReadonlyMap<string, OwnResponse>>(new Map())
  const { items, counts, medianDays, state, look: lookAnswers } = useAnswers(cid, true)
  const lost = ref(false)
  /** nothing could be shown yet, and the last try failed: what was shown before stays */
  const failed = computed(() => (lost.value && !page.value) || state.value === 'failed')
  let turn = 0
  let turnOfMine = 0
  let stopped = false
  let timer: ReturnType<typeof setTimeout> | undefined

  async function lookMine(): Promise<void> {
    const ids = readList(keptKey('comments', cid), isOwn).map((each) => each.id)
    if (!ids.length) return
    const now = (turnOfMine += 1)
    const found = await fetchOwn(cid, ids).catch(() => null)
    // Unheard, or an answer to an older question: what is known stays.
    if (!found || now !== turnOfMine) return
    mine.value = new Map(found.flatMap((each) => (each.response ? [[each.response.id, each.response] as const] : [])))
  }

  async function look(): Promise<void> {
    clearTimeout(timer)
    const now = (turn += 1)
    try {
      const { body, aheadMs } = await fetchConsultation(cid)
      if (stopped || now !== turn) return
      page.value = body
      gone.value = lost.value = false
      nowMs.value = Date.now() + (aheadMs ?? 0)
      const [heard] = await Promise.all([lookAnswers(), lookMine()])
      if (heard) asOfMs.value = nowMs.value
    } catch (error) {
      if (stopped || now !== turn) return
      gone.value = error instanceof GoneError
      lost.value = true
      if (gone.value) page.value = null
    }
    if (!stopped && now === turn) timer = setTimeout(tick, EVERY_MS * (0.75 + Math.random() / 2))
  }
  /** A tab that nobody sees asks for nothing; it is looked at anew when it is seen again. */
  function tick(): void {
    if (document.visibilityState === 'visible') void look()
  }
  document.addEventListener('visibilitychange', tick)
  window.addEventListener('online', tick)
  onScopeDispose(() => {
    stopped = true
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', tick)
    window.removeEventListener('online', tick)
  })
  void look()

  /** Null when it was done, else the code of the refusal. */
  async function done(act: Promise<unknown>): Promise<string | null> {
    try {
      await act
      await Promise.all([lookAnswers(), lookMine()])
      return null
    } catch (error) {
      return error instanceof CommentError ? error.code : 'failed'
    }
  }
  const own = {
    rate: (id: string, rating: Rating) => done(rateResponse(cid, id, rating)),
    followUp: (id: string, text: string) => done(followUp(cid, id, text)),
  }

  return { page, gone, failed, nowMs, asOfMs, mine, items, counts, medianDays, state, own, look }
}
