/** The consultation over HTTP: its start, its end, and how long each has spoken. */
import { RequestError } from './room-socket'

async function call(token: string, method: 'GET' | 'POST', path: string): Promise<unknown> {
  let response: Response
  try {
    response = await fetch(`/api/v1/consultations/${path}`, {
      method,
      headers: { Authorization: `Bearer ${token}` },
      cache: 'no-store',
    })
  } catch {
    throw new RequestError('offline')
  }
  const body: unknown = await response.json().catch(() => ({}))
  if (!response.ok) throw new RequestError((body as { code?: string }).code ?? 'failed')
  return body
}

export async function startConsultation(token: string, cid: string): Promise<void> {
  await call(token, 'POST', `${encodeURIComponent(cid)}/start`)
}

export async function endConsultation(token: string, cid: string): Promise<void> {
  await call(token, 'POST', `${encodeURIComponent(cid)}/end`)
}

/** Participant id → ms with the floor. */
export async function fetchSpeaking(token: string, cid: string): Promise<Map<string, number>> {
  const body = (await call(token, 'GET', `${encodeURIComponent(cid)}/floor`)) as { speaking?: { participant_id: string; spoken_ms: number }[] }
  const sums = new Map<string, number>()
  for (const { participant_id: id, spoken_ms: ms } of body.speaking ?? []) sums.set(id, (sums.get(id) ?? 0) + ms)
  return sums
}
