/** Opens a player of one participant, with a token that may have to be renewed first. */
import { RequestError } from '@/api/room-socket'
import { play, type WhepSession } from '@/api/whep'
import { useAccess } from '@/stores/access'
import { useSession } from '@/stores/session'

export function usePlay(): (target: string, offer: string, height: number) => Promise<WhepSession> {
  const access = useAccess()
  const session = useSession()
  return async (target, offer, height) => {
    try {
      return await play(session.token, session.cid, target, offer, height)
    } catch (error) {
      if (!(error instanceof RequestError) || !error.code.startsWith('token_') || !(await access.renew())) throw error
      return play(session.token, session.cid, target, offer, height)
    }
  }
}
