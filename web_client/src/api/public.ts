/** What the server tells everybody about a consultation. Times without `wall` or `_at` of a plan are program time in ms. */

import type { IdentityOffer } from './viewer-identity'

export type PublicStatus = 'scheduled' | 'live' | 'ended' | 'archived' | 'postponed' | 'cancelled'

export interface PublicAgendaItem {
  id: string
  title: string
  kind: string
  state: 'pending' | 'current' | 'done'
  planned_minutes: number | null
  planned_start_wall_ms: number | null
  speaker: string | null
  started_at_ms: number | null
  ended_at_ms: number | null
}

export interface PublicChapter {
  kind: 'item' | 'speech' | 'promotion'
  title: string
  from_ms: number
  to_ms: number
}

export type Span = [number, number]

export interface PublicReplay {
  url: string
  renditions: string[]
  duration_ms: number
  spans: Span[]
  chapters: PublicChapter[]
}

/** What was said. `speaker` is null where nobody knows. */
export interface PublicCaption {
  speaker: string | null
  text: string
  start_ms: number
  end_ms: number
}

export interface PublicConsultation {
  id: string
  title: string
  organization: string | null
  status: PublicStatus
  scheduled_at_ms: number | null
  ends_at_ms: number | null
  closing_at_ms: number | null
  started_wall_ms: number | null
  ended_wall_ms: number | null
  delay_s: number
  cut: boolean
  agenda: PublicAgendaItem[]
  current_item: string | null
  speaker: { name: string; line: string } | null
  promotion: { text: string; nickname: string | null; place: string | null; answering: string | null } | null
  /** the newest; null where nobody writes any */
  captions: PublicCaption[] | null
  live: { url: string; renditions: string[] } | null
  replay: PublicReplay | null
  /** Servers that keep no comments, viewers or cases leave these out. */
  comments?: { state: 'open' | 'paused' | 'closed' | 'off'; total: number; moderation: string } | null
  beacon?: { every_s: number; share: number } | null
  /** rounded as people say it; null: unknown */
  viewers?: number | null
  responses?: { total: number; answered: number } | null
  /** null: nobody is asked who they are */
  identity?: IdentityOffer | null
}

export interface PublicTextEntry {
  /** `caption`: what was said, and by whom in `line` */
  kind: 'item' | 'speaker' | 'promotion' | 'still' | 'caption'
  at_ms: number
  text: string
  line: string
  url: string | null
}

export interface PublicText {
  still: { url: string; at_ms: number } | null
  items: PublicTextEntry[]
  next: number | null
}

/** `aheadMs`: how far the server's clock is ahead of this device's; null when it does not say. */
export interface Answer<T> {
  body: T
  aheadMs: number | null
}

export class GoneError extends Error {}

const address = (cid: string): string => `/api/v1/public/consultations/${encodeURIComponent(cid)}`

export const fetchConsultation = (cid: string): Promise<Answer<PublicConsultation>> => ask(address(cid))

export function fetchText(cid: string, beforeMs: number | null = null): Promise<Answer<PublicText>> {
  return ask(`${address(cid)}/text${beforeMs === null ? '' : `?before=${beforeMs}`}`)
}

/** At most ten minutes at a time, as far as the public has come. */
export const fetchCaptions = (cid: string, fromMs: number, toMs: number): Promise<Answer<{ items: PublicCaption[] }>> => ask(`${address(cid)}/captions?from_ms=${fromMs}&to_ms=${toMs}`)

/** GoneError for what is not public; any other error is the network's. The browser keeps the entity tag. */
async function ask<T>(path: string): Promise<Answer<T>> {
  const response = await fetch(path, { cache: 'no-cache', credentials: 'omit' })
  if (response.status === 404) throw new GoneError(path)
  if (!response.ok) throw new Error(`status ${response.status}`)
  const body = (await response.json()) as T
  const said = Date.parse(response.headers.get('Date') ?? '')
  const kept = Number(response.headers.get('Age') ?? 0) * 1000
  return { body, aheadMs: Number.isNaN(said) ? null : said + kept - Date.now() }
}
