/** What the link opens: fetched before the room, with the refusal when it opens nothing. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { enterLink, fetchLink, type LinkInfo } from '@/api/links'
import { keepToken, linkWithToken, takeToken } from '@/api/keepsake'
import { RequestError } from '@/api/room-socket'
import { fetchSession, SessionError, type SessionInfo } from '@/api/session'
import { inApp } from '@/pages/room/surroundings'
import { usePreferences } from './preferences'

const ENDED = new Set(['ended', 'archived'])

export const useSession = defineStore('session', () => {
  const [, page, name] = window.location.pathname.split('/')
  /** of a personal link: it stays in the address, so that a reload is the same person */
  const code = page === 'j' ? decodeURIComponent(name ?? '') : null
  /** empty until a personal link has said to what it leads */
  const cid = ref(code === null ? decodeURIComponent(name ?? '') : '')
  const token = ref(code === null ? takeToken(cid.value, inApp()) : null)
  const info = shallowRef<SessionInfo | null>(null)
  const refusal = ref<string | null>(null)

  async function load(): Promise<void> {
    refusal.value = null
    if (code === null && !token.value) {
      refusal.value = 'token_missing'
      return
    }
    try {
      const answer = code === null ? await fetchSession(token.value ?? '') : linked(await fetchLink(code))
      if (answer.consultation.id !== cid.value) refusal.value = 'token_other_consultation'
      else if (ENDED.has(answer.consultation.status)) refusal.value = 'consultation_ended'
      else if (answer.room_full) refusal.value = 'room_full'
      info.value = answer
    } catch (error) {
      refusal.value = error instanceof SessionError || error instanceof RequestError ? error.code : 'unreachable'
    }
  }

  function linked({ consultation, name: who, role, title, sector, venue, large_text: large }: LinkInfo): SessionInfo {
    cid.value = consultation.id
    if (large) usePreferences().askLarge(code ?? '')
    return { consultation: { ...consultation, mode: '' }, name: who, role, title, sector: sector ?? null, venue, room_full: false, participants: null }
  }

  /** Looking at a personal link changes nothing; this uses it. The code of the refusal, or null. */
  async function enter(): Promise<string | null> {
    if (code === null) return token.value ? null : 'token_missing'
    try {
      const entered = await enterLink(code)
      keepToken(entered.consultation_id, entered.token)
      token.value = entered.token
      return null
    } catch (error) {
      return error instanceof RequestError ? error.code : 'failed'
    }
  }

  // Another link pasted into the same tab changes only the part after #, which loads nothing by itself.
  window.addEventListener('hashchange', () => {
    if (new URLSearchParams(window.location.hash.slice(1)).has('token')) window.location.reload()
  })

  /** observers only watch and listen: they are not asked for devices */
  const sends = computed(() => info.value?.role !== 'observer')
  const inHall = computed(() => info.value?.in_hall ?? false)
  /** for another device, or another browser on this one */
  const link = computed(() => (code === null ? linkWithToken(cid.value) : `${window.location.origin}/j/${encodeURIComponent(code)}`))

  return { code, cid, token, info, refusal, sends, inHall, link, load, enter }
})
