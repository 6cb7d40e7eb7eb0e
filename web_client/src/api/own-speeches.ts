/** What one said oneself (我的发言), over REST with one's own link, when it is over. `_ms` is program time, `_wall_ms` UTC. */
import type { ExportState } from './exports'
import { Http } from './http'
import type { Entered } from './links'
import type { Role } from './messages'
import { pathOf } from './preparing'

export interface OwnSegment {
  id: string
  start_ms: number
  end_ms: number
  text: string
  is_unclear: boolean
}

/** A file of the session's sound while one had the floor. */
export interface OwnClip {
  state: ExportState
  /** 0 to 100 */
  progress: number
  duration_ms: number
  size_bytes: number
}

export interface OwnSpeech {
  /** null: said without the floor; no clip is made of it */
  turn_id: string | null
  item_title: string | null
  from_ms: number
  to_ms: number
  segments: OwnSegment[]
  /** of one's own microphone */
  has_sound: boolean
  /** null until somebody asks for it */
  clip: OwnClip | null
}

export interface OwnReply {
  name: string
  role: Role
  text: string
  at_wall_ms: number
  private: boolean
}

export interface OwnStatement {
  id: string
  number: number
  text: string
  at_ms: number | null
  at_wall_ms: number
  private: boolean
  taken: boolean
  likes: number
  replies: OwnReply[]
}

export interface OwnRecord {
  consultation: { id: string; title: string; organization: string | null; started_at_ms: number | null; ended_at_ms: number | null }
  name: string
  speeches: OwnSpeech[]
  statements: OwnStatement[]
}

/** as much as is cut out at once */
export const MOST_SOUND_MS = 1_800_000

/** A token for the bearer of a personal link; only after the end. */
export const lookBack = (code: string): Promise<Entered> => new Http(null).send('POST', `/links/${encodeURIComponent(code)}/look-back`)

export const ownSpeeches = (http: Http, cid: string) => {
  const path = `${pathOf(cid)}/own-speeches`
  const clip = (turn: string): string => `${path}/${encodeURIComponent(turn)}/clip`
  return {
    all: () => http.get<OwnRecord>(path),
    sound: (fromMs: number, toMs: number) => http.download(`${path}/sound`, { from_ms: fromMs, to_ms: toMs }),
    makeClip: (turn: string) => http.send<OwnClip>('POST', clip(turn)),
    clip: (turn: string) => http.download(clip(turn)),
  }
}
