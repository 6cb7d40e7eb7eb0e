/** Who is logged in on this browser: for the page at / and the desk. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { currentStaff, forgetStaff, keepStaff, logIn, logOut, type StaffUser } from '@/api/accounts'
import { RequestError } from '@/api/room-socket'
import { readStaff, type StaffSession } from '@/api/staff'

/** Codes that say that the session is good for nothing any more. */
const OVER = new Set(['session_expired', 'token_missing', 'token_invalid', 'token_expired', 'token_revoked'])

export const useStaff = defineStore('staff', () => {
  const session = shallowRef<StaffSession | null>(readStaff())
  const user = shallowRef<StaffUser | null>(null)
  /** it was logged in and is not any more, without having said so */
  const expired = ref(false)

  async function enter(login: string, password: string): Promise<void> {
    const { user: who, ...given } = await logIn(login, password)
    keepStaff(given)
    session.value = given
    user.value = who
    expired.value = false
  }

  async function load(): Promise<void> {
    if (!session.value) return
    await attempt(async (token) => {
      user.value = await currentStaff(token)
    })
  }

  async function leave(): Promise<void> {
    const token = session.value?.token
    drop()
    // The server forgets it by itself in time where it cannot be told now.
    if (token) await logOut(token).catch(() => undefined)
  }

  function drop(): void {
    forgetStaff()
    session.value = null
    user.value = null
  }

  /** Acts with the session; a session that has run out leads back to the log-in. Other refusals are the caller's. */
  async function attempt<T>(act: (token: string) => Promise<T>): Promise<T | undefined> {
    if (!session.value) return undefined
    try {
      return await act(session.value.token)
    } catch (error) {
      if (!(error instanceof RequestError) || !OVER.has(error.code)) throw error
      drop()
      expired.value = true
      return undefined
    }
  }

  return { session, user, expired, enter, load, leave, attempt }
})
