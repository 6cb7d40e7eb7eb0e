/** How the desk is opened: with the token of the address, or by the one who is logged in on this browser. */
import { defineStore } from 'pinia'
import { keepToken } from '@/api/keepsake'
import { RequestError } from '@/api/room-socket'
import { consultationToken, readStaff } from '@/api/staff'
import { useSession } from './session'

/** A token that is good for nothing here, where being logged in may help. */
const REPLACEABLE = new Set(['token_missing', 'token_expired', 'token_invalid', 'token_revoked', 'token_other_consultation', 'forbidden'])

export const useAccess = defineStore('access', () => {
  const session = useSession()
  let renewing: Promise<boolean> | null = null

  async function load(): Promise<void> {
    await session.load()
    if (session.refusal && REPLACEABLE.has(session.refusal) && (await renew())) await session.load()
  }

  /** Another token for the one who is logged in; false when nobody is, or may not. */
  function renew(): Promise<boolean> {
    renewing ??= fetchToken().finally(() => (renewing = null))
    return renewing
  }

  async function fetchToken(): Promise<boolean> {
    const staff = readStaff()
    if (!staff) return false
    try {
      session.token = await consultationToken(staff, session.cid)
      keepToken(session.cid, session.token)
      return true
    } catch (error) {
      session.refusal = error instanceof RequestError && error.code !== 'offline' ? error.code : 'unreachable'
      return false
    }
  }

  const replaceable = (code: string): boolean => REPLACEABLE.has(code) && readStaff() !== null

  return { load, renew, replaceable }
})
