/** How everybody's media fares, over REST; and the last quarter of an hour as a file. */
import type { Http } from './http'
import type { Device, Role } from './messages'
import { pathOf } from './preparing'

export type Finding =
  | 'away'
  | 'no_media'
  | 'media_lost'
  | 'uplink_loss'
  | 'downlink_loss'
  | 'far'
  | 'sound_only'
  | 'narrow'
  | 'freezes'
  | 'broken_sound'
  | 'sender'
  | 'camera_silent'
  | 'microphone_silent'
  | 'small_picture'
  | 'undecodable'
  | 'not_reporting'
  | 'over_tcp'
  | 'over_relay'
export type Grade = 'bad' | 'warn' | 'note'
export type MediaPath = 'none' | 'udp' | 'tcp' | 'https_port' | 'loopback' | 'relay'
export type TrackSource = 'microphone' | 'camera' | 'screen' | 'screen_sound' | 'program'

export interface Found {
  finding: Finding
  grade: Grade
  /** a share of 1, milliseconds, seconds, bit/s or pixels, by the finding */
  value: number | null
  count: number
  /** whose fault it is, where it is somebody else's */
  participant_id: string | null
}

export interface Connection {
  state: string
  path: MediaPath
  loss: number
}

export interface SentLayer {
  name: string
  width: number
  height: number
  fps: number
  bitrate_bps: number
}

export interface SentTrack {
  id: string
  kind: 'audio' | 'video'
  source: TrackSource
  codec: string
  bitrate_bps: number
  silent_ms: number | null
  is_open: boolean
  needed: string[]
  layers: SentLayer[]
}

export interface ReceivedTrack {
  publication_id: string
  participant_id: string
  kind: 'audio' | 'video'
  source: TrackSource
  state: 'waiting' | 'active' | 'unsupported_codec'
  /** null: nothing is sent */
  layer: string | null
  height: number
  shown_height: number
  best_height: number
  /** 2: all pictures, 1: half of them, 0: a quarter */
  temporal: number
  reason: '' | 'size' | 'bandwidth' | 'hidden'
  bitrate_bps: number
  loss: number
  /** shares of the time; null: the client said nothing of it lately */
  freeze: number | null
  concealed: number | null
  fps: number | null
  /** 0 to 100 */
  score: number | null
}

export interface Inspected {
  id: string
  /** null: a player by WHEP */
  name: string | null
  role: Role | null
  venue: string | null
  kind: 'client' | 'whip' | 'whep' | 'ingest' | 'clip'
  device: Device | null
  connected: boolean
  path: MediaPath
  uplink_loss: number
  downlink_loss: number
  rtt_ms: number | null
  score: number | null
  found: Found[]
  uplink: Connection | null
  downlink: Connection | null
  uplink_bps: number
  estimate_bps: number | null
  delivered_bps: number | null
  link: 'normal' | 'full' | 'silent'
  sound_only: boolean
  pictures: number
  sounds: number
  hidden: number
  lowered: number
  largest_height: number
  largest_fps: number | null
  sends: SentTrack[]
  /** only of who was asked for */
  receives: ReceivedTrack[] | null
}

export interface RoomLook {
  at_ms: number
  program_time_ms: number | null
  /** servers that do not say it here say it at /readyz */
  relay?: string
  participants: Inspected[]
}

export const inspector = (http: Http, cid: string) => {
  const path = `${pathOf(cid)}/inspector`
  return {
    look: (of: string | null) => http.get<RoomLook>(path, { of }),
    trail: () => http.download(`${path}.jsonl`),
  }
}
