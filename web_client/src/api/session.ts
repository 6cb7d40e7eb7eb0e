/** HTTP before the room: what the token opens, and how far away the server is. */
import type { Role } from './messages'

export interface SessionInfo {
  consultation: {
    id: string
    title: string
    status: string
    mode: string
    scheduled_at_ms: number | null
    organization: string | null
  }
  name: string
  role: Role
  venue: string | null
  /** office or post (单位职务) and sector (界别) of an invitee */
  title?: string | null
  sector?: string | null
  /** entered by a hall's code */
  in_hall?: boolean
  room_full: boolean
  /** null: a personal link does not say who is there already */
  participants: number | null
}

/** A refusal with the server's stable code; `unreachable` when there was no answer at all. */
export class SessionError extends Error {
  constructor(readonly code: string) {
    super(code)
  }
}

export async function fetchSession(token: string): Promise<SessionInfo> {
  let response: Response
  try {
    response = await fetch('/api/v1/session', {
      headers: { Authorization: `Bearer ${token}` },
      cache: 'no-store',
    })
  } catch {
    throw new SessionError('unreachable')
  }
  if (response.ok) return (await response.json()) as SessionInfo
  const problem = (await response.json().catch(() => ({}))) as { code?: string }
  const fallback = response.status >= 500 ? 'unreachable' : 'token_invalid'
  throw new SessionError(problem.code ?? fallback)
}

/** The best of three round trips in ms, or null when the server does not answer. */
export async function measureRoundTrip(): Promise<number | null> {
  let best: number | null = null
  for (let turn = 0; turn < 3; turn += 1) {
    const started = performance.now()
    try {
      const response = await fetch('/healthz', { cache: 'no-store' })
      await response.text()
      if (!response.ok) return null
    } catch {
      return null
    }
    const took = performance.now() - started
    if (best === null || took < best) best = took
  }
  return best === null ? null : Math.round(best)
}
