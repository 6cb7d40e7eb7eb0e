/** What the link opens: fetched before the room, with the refusal when it opens nothing. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { takeToken } from '@/api/keepsake'
import { fetchSession, SessionError, type SessionInfo } from '@/api/session'
import { inApp } from '@/pages/room/surroundings'

export const useSession = defineStore('session', () => {
  const cid = decodeURIComponent(window.location.pathname.split('/')[2] ?? '')
  const token = ref(takeToken(cid, inApp()))
  const info = shallowRef<SessionInfo | null>(null)
  const refusal = ref<string | null>(null)

  async function load(): Promise<void> {
    refusal.value = null
    if (!token.value) {
      refusal.value = 'token_missing'
      return
    }
    try {
      const answer = await fetchSession(token.value)
      if (answer.consultation.id !== cid) refusal.value = 'token_other_consultation'
      else if (answer.consultation.status === 'ended') refusal.value = 'consultation_ended'
      else if (answer.room_full) refusal.value = 'room_full'
      info.value = answer
    } catch (error) {
      refusal.value = error instanceof SessionError ? error.code : 'unreachable'
    }
  }

  // Another link pasted into the same tab changes only the part after #, which loads nothing by itself.
  window.addEventListener('hashchange', () => {
    if (new URLSearchParams(window.location.hash.slice(1)).has('token')) window.location.reload()
  })

  /** observers only watch and listen: they are not asked for devices */
  const sends = computed(() => info.value?.role !== 'observer')

  return { cid, token, info, refusal, sends, load }
})
