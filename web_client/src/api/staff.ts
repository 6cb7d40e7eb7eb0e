/** The staff session that this browser keeps, and the consultation token that it stands for. */
import { Http } from './http'

export interface StaffSession {
  token: string
  expires_at_ms: number
}

const KEY = 'yuanshang.staff'

/** The kept session while it is good. */
export function readStaff(now = Date.now()): StaffSession | null {
  try {
    const kept = JSON.parse(window.localStorage.getItem(KEY) ?? 'null') as Partial<StaffSession> | null
    return kept?.token && typeof kept.expires_at_ms === 'number' && kept.expires_at_ms > now ? { token: kept.token, expires_at_ms: kept.expires_at_ms } : null
  } catch {
    return null
  }
}

/** A consultation token for the one who is logged in. */
export async function consultationToken(staff: StaffSession, cid: string): Promise<string> {
  const answer = await new Http(staff.token).send<{ token: string }>('POST', `/consultations/${encodeURIComponent(cid)}/token`)
  return answer.token
}
