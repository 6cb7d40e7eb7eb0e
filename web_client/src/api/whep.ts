/** Playing somebody, or the program, over WHEP: one offer, one answer, and a session that is given back. */
import { ProblemError } from './http'
import type { Resume } from './keepsake'

export interface WhepSession {
  answer: string
  /** where the session is closed */
  address: string
}

export const playProgram = (token: string | null, cid: string, offer: string, resume?: Resume | null): Promise<WhepSession> =>
  play(token, cid, 'program', offer, undefined, resume)

/** `target`: a participant's id, or `program`; `height`: device pixels of the frame, so that no larger picture is sent; `resume`: of who is in
    the room, for a token that expired meanwhile. */
export async function play(token: string | null, cid: string, target: string, offer: string, height?: number, resume?: Resume | null): Promise<WhepSession> {
  const size = height === undefined ? '' : `?height=${Math.max(1, Math.round(height))}`
  let response: Response
  try {
    response = await fetch(`/whep/${encodeURIComponent(cid)}/${encodeURIComponent(target)}${size}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp', ...(token ? { Authorization: `Bearer ${token}` } : {}), ...(resume ? { 'X-Resume': `${resume.participant_id} ${resume.secret}` } : {}) },
      body: offer,
    })
  } catch {
    throw new ProblemError('offline', 0)
  }
  if (!response.ok) {
    const problem = (await response.json().catch(() => ({}))) as { code?: string }
    throw new ProblemError(problem.code ?? 'failed', response.status)
  }
  return { answer: await response.text(), address: response.headers.get('Location') ?? '' }
}

/** Also while the page goes away. What fails ends by itself on the server. */
export function closeSession(token: string | null, address: string): void {
  if (!address) return
  fetch(address, { method: 'DELETE', keepalive: true, headers: token ? { Authorization: `Bearer ${token}` } : {} }).catch(() => undefined)
}
