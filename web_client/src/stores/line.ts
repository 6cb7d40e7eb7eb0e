/** The line to the server, whichever page it belongs to: asks, and says a refusal in words. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { RequestName, Requests } from '@/api/messages'
import { RequestError } from '@/api/room-socket'
import { i18n } from '@/i18n'
import { useNotices } from './notices'

export interface Requester {
  request<Name extends RequestName>(name: Name, payload: Requests[Name][0]): Promise<Requests[Name][1]>
}

const SENTENCES: Record<string, string> = {
  offline: 'toast.offline',
  timeout: 'toast.offline',
  forbidden: 'toast.forbidden',
  hard_muted: 'toast.locked',
  floor_required: 'toast.locked',
  rate_limited: 'toast.tooFast',
  storage_unavailable: 'toast.notSaved',
  comment_claimed: 'comments.said.claimed',
  too_many_messages: 'problems.too_many_messages',
  room_limit: 'problems.room_limit',
  clip_not_ready: 'clips.problems.clip_not_ready',
  clip_other: 'clips.problems.clip_other',
  clip_not_playing: 'clips.problems.clip_not_playing',
  rehearsal_clearing: 'rehearsal.said.clearing',
  rehearsal_comment: 'rehearsal.said.comment',
  too_many_test_comments: 'rehearsal.said.enough',
}

/** A hall waits, and two sentences are to be read. */
const LONG_MS = 20_000

export const useLine = defineStore('line', () => {
  const { t } = i18n.global
  const notices = useNotices()
  const requester = shallowRef<Requester | null>(null)
  /** what waits for the line may be sent now */
  const up = ref(false)

  function use(next: Requester | null): void {
    requester.value = next
    if (!next) up.value = false
  }

  async function request<Name extends RequestName>(name: Name, payload: Requests[Name][0]): Promise<Requests[Name][1]> {
    if (!requester.value) throw new RequestError('offline')
    return requester.value.request(name, payload)
  }

  /** Asks; null after a refusal, which is said in words. */
  async function ask<Name extends RequestName>(name: Name, payload: Requests[Name][0]): Promise<Requests[Name][1] | null> {
    let answer: Requests[Name][1] | null = null
    await attempt(async () => {
      answer = await request(name, payload)
    }, name)
    return answer
  }

  /** The same for what goes another way than over this line. */
  async function attempt(act: () => Promise<void>, name = ''): Promise<boolean> {
    try {
      await act()
      return true
    } catch (error) {
      say(error, name)
      return false
    }
  }

  /** A refusal of the request of that name, in words. */
  function say(error: unknown, name = ''): void {
    const code = error instanceof RequestError ? error.code : ''
    const what = name.startsWith('agenda.') ? 'agendaConflict' : 'conflict'
    if (code === 'conflict') notices.show(t(`toast.${what}`), { detail: t(`toast.${what}Text`) })
    else if (code === 'comment_changed') notices.show(t('comments.said.changed'), { detail: t('comments.said.changedText') })
    else if (code === 'too_many_live') notices.show(t('problems.too_many_live'), { forMs: LONG_MS })
    else notices.show(t(SENTENCES[code] ?? 'toast.failed'))
  }

  return { up, use, request, ask, attempt, say }
})
