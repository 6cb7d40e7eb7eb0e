/** One's own comments: on their way, and what became of them; remembered on this device, told by the server. */
import { onScopeDispose, ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { CommentError, fetchOwn, followUp, postComment, rateResponse, withdrawComment, type CommentDraft, type Rating } from '@/api/public-comments'
import { CommentOutbox, isLetter, newKey, type CommentLetter, type Hold } from './comment-outbox'
import { keepList, keptKey, onOtherTab, readList } from './kept'
import { isOwn, ownPollMs, withAnswers, withSent, type OwnComment } from './own-comments'

export interface Own {
  /** newest first */
  comments: ShallowRef<OwnComment[]>
  letters: ShallowRef<CommentLetter[]>
  hold: Ref<Hold | null>
  send: (draft: Omit<CommentDraft, 'key'>) => void
  drop: (key: string) => void
  forget: (id: string) => void
  pause: (paused: boolean) => void
  /** Something changed: what waits may go now. */
  wake: () => void
  look: () => Promise<void>
  /** Null when it was done, else the code of the refusal. */
  withdraw: (id: string) => Promise<string | null>
  rate: (responseId: string, rating: Rating) => Promise<string | null>
  followUp: (responseId: string, text: string) => Promise<string | null>
}

const SLEEP_MS = 15_000

export function useOwn(cid: string, viewers: () => number | null): Own {
  const ownKey = keptKey('comments', cid)
  const lettersKey = keptKey('unsent', cid)
  const comments = shallowRef<OwnComment[]>(readList(ownKey, isOwn))
  const letters = shallowRef<CommentLetter[]>([])
  const hold = ref<Hold | null>(null)
  let introduced: Promise<unknown> | null = null
  let turn = 0
  let stopped = false
  let timer: ReturnType<typeof setTimeout> | undefined

  function set(own: OwnComment[]): void {
    comments.value = own
    keepList(ownKey, own)
  }

  /** The server has to know this device before its first comment, or one that comes twice would be two. */
  async function introduce(): Promise<void> {
    introduced ??= fetchOwn(cid, [])
    try {
      await introduced
    } catch (error) {
      introduced = null
      throw error
    }
  }

  const outbox = new CommentOutbox({
    read: () => readList(lettersKey, isLetter),
    keep: (list) => keepList(lettersKey, list),
    send: async ({ text, nickname, region, program_time_ms, key }) => {
      await introduce()
      return postComment(cid, { text, nickname, region, program_time_ms, key })
    },
    sent: (letter, receipt) => {
      set(withSent(readList(ownKey, isOwn), letter, receipt))
      schedule()
    },
    changed: (list, now) => {
      letters.value = list
      hold.value = now
    },
  })

  async function look(): Promise<void> {
    const asked = comments.value.map((each) => each.id)
    if (!asked.length) return
    const now = (turn += 1)
    const answers = await fetchOwn(cid, asked)
    // An answer to an older question may come after that to a newer one.
    if (!stopped && now === turn) set(withAnswers(readList(ownKey, isOwn), answers))
  }
  async function tick(): Promise<void> {
    if (document.visibilityState === 'visible') await look().catch(() => undefined)
    schedule()
  }
  function schedule(): void {
    clearTimeout(timer)
    if (stopped) return
    const wait = ownPollMs(comments.value, Date.now(), Math.random(), viewers())
    if (wait !== null) timer = setTimeout(() => void tick(), document.visibilityState === 'visible' ? wait : Math.max(wait, SLEEP_MS))
  }
  const seen = (): void => {
    if (document.visibilityState !== 'visible') return
    outbox.wake()
    void tick()
  }
  document.addEventListener('visibilitychange', seen)
  window.addEventListener('online', seen)
  const stops = [onOtherTab(ownKey, () => (comments.value = readList(ownKey, isOwn))), onOtherTab(lettersKey, () => outbox.reread())]
  onScopeDispose(() => {
    stopped = true
    clearTimeout(timer)
    outbox.close()
    document.removeEventListener('visibilitychange', seen)
    window.removeEventListener('online', seen)
    for (const stop of stops) stop()
  })
  void tick()

  async function done(act: Promise<unknown>): Promise<string | null> {
    try {
      await act
      await look().catch(() => undefined)
      return null
    } catch (error) {
      return error instanceof CommentError ? error.code : 'failed'
    }
  }

  return {
    comments,
    letters,
    hold,
    send: (draft) => outbox.add({ ...draft, key: newKey() }),
    drop: (key) => outbox.drop(key),
    forget: (id) => set(comments.value.filter((each) => each.id !== id)),
    pause: (paused) => outbox.pause(paused),
    wake: () => outbox.wake(),
    look,
    withdraw: (id) => done(withdrawComment(cid, id)),
    rate: (id, rating) => done(rateResponse(cid, id, rating)),
    followUp: (id, text) => done(followUp(cid, id, text)),
  }
}
