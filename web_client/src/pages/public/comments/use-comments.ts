/** Everybody's comments, asked for again and again while somebody looks; likes and reports of this device. */
import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import type { PublicConsultation } from '@/api/public'
import { CommentError, fetchComments, likeComment, reportComment } from '@/api/public-comments'
import type { Phase } from '../phase'
import { EMPTY, released, withLikes, withNewest, withOlder, type CommentList } from './comment-list'
import { listIsDue, listTickMs } from './commenting'
import { isText, keepList, keptKey, readList } from './kept'

export interface Comments {
  list: ShallowRef<CommentList>
  /** nothing was heard yet */
  loading: Ref<boolean>
  /** somebody reads: new ones wait */
  held: Ref<boolean>
  busy: Ref<boolean>
  liked: Ref<ReadonlySet<string>>
  reported: Ref<ReadonlySet<string>>
  /** code of what was refused last */
  refused: Ref<string | null>
  look: () => Promise<void>
  older: () => Promise<void>
  release: () => void
  like: (id: string) => Promise<void>
  report: (id: string) => Promise<void>
}

const MOST_MARKS = 500

export function useComments(cid: string, page: () => PublicConsultation, phase: () => Phase): Comments {
  const list = shallowRef<CommentList>(EMPTY)
  const loading = ref(true)
  const held = ref(false)
  const busy = ref(false)
  const refused = ref<string | null>(null)
  const likedKey = keptKey('liked', cid)
  const reportedKey = keptKey('reported', cid)
  const liked = ref<ReadonlySet<string>>(new Set(readList(likedKey, isText)))
  const reported = ref<ReadonlySet<string>>(new Set(readList(reportedKey, isText)))
  let askedTotal: number | null = null
  let askedMs = 0
  let failures = 0
  let turn = 0
  let stopped = false
  let timer: ReturnType<typeof setTimeout> | undefined

  async function look(): Promise<void> {
    const now = (turn += 1)
    try {
      const total = page().comments?.total ?? null
      const found = await fetchComments(cid)
      // An answer to an older question may come after that to a newer one.
      if (stopped || now !== turn) return
      askedTotal = total
      askedMs = Date.now()
      failures = 0
      loading.value = false
      list.value = withNewest(list.value, found, held.value)
    } catch {
      if (now === turn) failures += 1
    }
  }
  async function tick(): Promise<void> {
    clearTimeout(timer)
    if (document.visibilityState === 'visible' && (failures > 0 || listIsDue(page(), phase(), askedTotal, Date.now() - askedMs))) await look()
    if (!stopped) timer = setTimeout(() => void tick(), listTickMs(phase(), failures, Math.random()))
  }
  const seen = (): void => {
    if (document.visibilityState === 'visible') void tick()
  }
  document.addEventListener('visibilitychange', seen)
  window.addEventListener('online', seen)
  onScopeDispose(() => {
    stopped = true
    clearTimeout(timer)
    document.removeEventListener('visibilitychange', seen)
    window.removeEventListener('online', seen)
  })
  void tick()

  function release(): void {
    held.value = false
    list.value = released(list.value)
  }
  watch(held, (now) => {
    if (!now) list.value = released(list.value)
  })

  async function older(): Promise<void> {
    const after = list.value.next
    if (after === null || busy.value) return
    busy.value = true
    try {
      list.value = withOlder(list.value, await fetchComments(cid, after))
    } catch {
      // The button stays: it can be pressed again.
    } finally {
      busy.value = false
    }
  }

  /** Shown at once; taken back when the server says otherwise. */
  async function like(id: string): Promise<void> {
    const on = !liked.value.has(id)
    const before = list.value.items.find((each) => each.id === id)?.likes ?? 0
    setLiked(id, on, Math.max(0, before + (on ? 1 : -1)))
    try {
      setLiked(id, on, await likeComment(cid, id, on))
      refused.value = null
    } catch (error) {
      setLiked(id, !on, before)
      refused.value = codeOf(error)
    }
  }
  function setLiked(id: string, on: boolean, likes: number): void {
    const now = new Set(liked.value)
    if (on) now.add(id)
    else now.delete(id)
    liked.value = now
    keepList(likedKey, [...now].slice(-MOST_MARKS))
    list.value = withLikes(list.value, id, likes)
  }
  async function report(id: string): Promise<void> {
    try {
      await reportComment(cid, id)
      reported.value = new Set([...reported.value, id])
      keepList(reportedKey, [...reported.value].slice(-MOST_MARKS))
      refused.value = null
    } catch (error) {
      refused.value = codeOf(error)
    }
  }

  return { list, loading, held, busy, liked, reported, refused, look, older, release, like, report }
}

const codeOf = (error: unknown): string => (error instanceof CommentError ? error.code : 'failed')
