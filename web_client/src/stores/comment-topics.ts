/** What the waiting comments are about: found on demand, with how many wait in each topic. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { CommentTopic } from '@/api/moderation'
import { useComments } from './comments'
import { useLine } from './line'

export const useCommentTopics = defineStore('comment-topics', () => {
  const comments = useComments()
  const line = useLine()
  const items = shallowRef<readonly CommentTopic[] | null>(null)
  const atWallMs = ref<number | null>(null)
  /** the newest comment that the numbers know of */
  const last = ref(0)
  const busy = ref(false)

  async function find(): Promise<void> {
    if (busy.value || !line.up) return
    busy.value = true
    const answer = await line.ask('comments.topics', {})
    busy.value = false
    if (!answer) return
    items.value = answer.topics
    atWallMs.value = answer.at_wall_ms
    last.value = answer.last_number
    // A topic that is no more has no groups to show.
    if (comments.wanted.topic && !answer.topics.some((each) => each.id === comments.wanted.topic)) comments.choose({ topic: null })
  }

  const byId = (id: string | null): CommentTopic | null => items.value?.find((each) => each.id === id) ?? null

  return { items, atWallMs, last, busy, find, byId }
})
