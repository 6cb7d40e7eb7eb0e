/** The room protocol as types: what the server sends on the namespace /room and what it is asked. */

export type Role =
  | 'chair'
  | 'member'
  | 'department'
  | 'expert'
  | 'citizen'
  | 'venue_operator'
  | 'moderator'
  | 'secretariat'
  | 'observer'

export type Source = 'microphone' | 'camera' | 'screen' | 'screen_sound'
export type Device = 'phone' | 'laptop' | 'wall'
export type Quality = 0 | 1 | 2 | 3 | null

export interface Publication {
  id: string
  kind: 'audio' | 'video'
  source: Source
  label: string | null
  codec: string | null
}

export interface Participant {
  id: string
  name: string
  role: Role
  venue: string | null
  kind: 'client' | 'whip'
  device: Device | null
  joined_at_ms: number
  /** false while lost and inside the grace of 60 s */
  connected: boolean
  /** true when the room hears this microphone */
  microphone: boolean
  camera: boolean
  hard_muted: boolean
  muted_by: string | null
  /** place in the queue of raised hands, 1 is the first */
  hand: number | null
  quality: Quality
  publications: Publication[]
}

export interface Consultation {
  id: string
  title: string
  status: string
  mode: string
}

export interface Self {
  participant_id: string
  name: string
  role: Role
  venue: string | null
  resume_secret: string
  resumed: boolean
  can: string[]
}

export interface Speaker {
  participant_id: string
  level_db: number
}

export interface Snapshot {
  version: number
  consultation: Consultation
  program_time_ms: number | null
  server_time_ms: number
  self: Self
  media: { epoch: string; ice_servers: RTCIceServer[] }
  participants: Participant[]
  speakers: Speaker[]
}

/** whether this device can show a track; `unsupported_codec`: it has no decoder for it */
export type SubscriptionState = 'active' | 'waiting' | 'unsupported_codec'

export interface OfferedTrack {
  mid: string
  participant_id: string
  publication_id: string
  source: Source
}

export interface MediaOffer {
  sdp: string
  generation: number
  tracks: OfferedTrack[]
}

export interface PublishedTrack {
  mid: string
  source: Source
  label?: string
}

/** Everything the server may send, by event name. */
export interface ServerEvents {
  'room.snapshot': Snapshot
  'participant.joined': { version: number; participant: Participant }
  'participant.updated': { version: number; participant: Participant }
  'participant.left': { version: number; participant_id: string; reason: 'left' | 'lost' | 'removed' }
  'consultation.updated': { version: number; consultation: Consultation }
  'speakers.changed': { speakers: Speaker[] }
  'media.offer': MediaOffer
  'media.restart': { epoch: string }
  'subscription.changed': { publication_id: string; state: SubscriptionState }
  'participant.mute': { by: string; hard: boolean; muted: boolean }
  'session.replaced': Record<string, never>
  'session.removed': { by: string }
  'session.refused': { code: string; message: string }
}
export type ServerEvent = keyof ServerEvents

/** What may be asked, with the payload and the data of the answer. */
export interface Requests {
  'media.publish': [{ sdp: string; tracks: PublishedTrack[] }, { sdp: string }]
  'media.restart': [Record<string, never>, unknown]
  'participant.update': [{ name?: string; microphone?: boolean; camera?: boolean }, { participant: Participant }]
  'participant.mute': [
    { participant_id?: string; all?: true; muted: boolean; hard?: boolean },
    { changed: number },
  ]
  'participant.remove': [{ participant_id: string }, unknown]
  'floor.request': [Record<string, never>, { place: number }]
  'floor.withdraw': [{ participant_id?: string }, unknown]
  'room.sync': [Record<string, never>, Snapshot]
  'room.leave': [Record<string, never>, unknown]
}
export type RequestName = keyof Requests

export type Ack<T> = { ok: true; data: T } | { ok: false; error: { code: string; message: string } }
