/** With several moderators at work the group that one stays at becomes one's own, and is left to others when one goes on. */
import { onBeforeUnmount, watch } from 'vue'
import { useCommentActs } from '@/stores/comment-acts'
import { useCommentCursor } from '@/stores/comment-cursor'
import { useComments } from '@/stores/comments'

/** Who runs through the rows claims nothing. */
const STAY_MS = 1500
/** The server lets go of a claim after two minutes. */
const AGAIN_MS = 60_000

export function useCommentClaims(): void {
  const acts = useCommentActs()
  const comments = useComments()
  const cursor = useCommentCursor()
  let own: string | null = null
  let stay: ReturnType<typeof setTimeout> | undefined
  let again: ReturnType<typeof setInterval> | undefined

  function letGo(): void {
    clearTimeout(stay)
    clearInterval(again)
    const id = own
    own = null
    // A group that was decided on has left the queue: there is nothing to let go of.
    if (id !== null && comments.groups.has(id)) void acts.release(id)
  }

  function stayed(id: string): void {
    const group = comments.groups.get(id)
    if (!group || group.claimed_by !== null || !comments.held || comments.moderators.length < 2) return
    own = id
    void acts.claim(id)
    again = setInterval(() => {
      if (comments.groups.has(id)) void acts.claim(id)
    }, AGAIN_MS)
  }

  watch(
    () => [cursor.at, comments.held, comments.moderators.length > 1] as const,
    ([id, held, several]) => {
      if (id === own && held) return
      letGo()
      if (id !== null && held && several) stay = setTimeout(() => stayed(id), STAY_MS)
    },
    { immediate: true },
  )
  onBeforeUnmount(letGo)
}
