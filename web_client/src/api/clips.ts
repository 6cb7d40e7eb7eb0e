/** Clips: films that are brought beforehand and played into the room. The list over REST, what is played over the line. */
import type { Http } from './http'
import { pathOf } from './preparing'

export type ClipState = 'uploading' | 'queued' | 'checking' | 'transcoding' | 'ready' | 'refused'
export const CLIP_REFUSALS = ['not_media', 'broken', 'codec_unknown', 'too_long', 'too_short', 'disk_full', 'worker_ended'] as const
export type ClipRefusal = (typeof CLIP_REFUSALS)[number]

export interface Clip {
  id: string
  /** whose operator brought it; null: the desk */
  venue_id: string | null
  name: string
  size_bytes: number
  added_at_ms: number
  added_by: string
  state: ClipState
  reason: ClipRefusal | null
  /** in percent of what its state says */
  progress: number
  duration_ms: number
  width: number
  height: number
  has_picture: boolean
  has_sound: boolean
  /** where it begins when nobody says otherwise */
  cue_ms: number
}

export type PlayState = 'starting' | 'playing' | 'paused' | 'ended'

/** The one clip in the room. While it plays, its position goes on from `position_ms` since `at_wall_ms`. */
export interface PlayingClip {
  id: string
  clip_id: string
  participant_id: string
  name: string
  venue_id: string | null
  started_by: string
  state: PlayState
  position_ms: number
  duration_ms: number
  /** program time; null before the meeting is live */
  at_ms: number | null
  at_wall_ms: number
}

export interface ClipList {
  items: Clip[]
  max_bytes: number
}

export const clips = (http: Http, cid: string) => {
  const path = `${pathOf(cid)}/clips`
  return {
    list: () => http.get<ClipList>(path),
    add: (file: File) => http.upload<Clip>(path, file, { name: file.name }),
    cue: (id: string, cue_ms: number) => http.send<Clip>('PATCH', `${path}/${encodeURIComponent(id)}`, { cue_ms }),
    remove: (id: string) => http.send<undefined>('DELETE', `${path}/${encodeURIComponent(id)}`),
    poster: (id: string) => http.download(`${path}/${encodeURIComponent(id)}/poster`),
  }
}

/** Where in the clip the room is now; `wallMs` by the server's clock. */
export function positionOf(playing: PlayingClip, wallMs: number): number {
  const gone = playing.state === 'playing' ? wallMs - playing.at_wall_ms : 0
  return Math.max(0, Math.min(playing.duration_ms, playing.position_ms + gone))
}
