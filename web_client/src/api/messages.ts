/** The room protocol as types: what the server sends on the namespaces /room and /desk and what it is asked. */
import type {
  CommentGroup,
  CommentGroupPage,
  CommentsUpdated,
  CommentsWanted,
  CommentTarget,
  CommentTopic,
  Decided,
  ModeratedComment,
  Promotion,
} from './moderation'
import type { CameraNow } from './cameras'
import type { Clip, PlayingClip } from './clips'
import type { SecondPass } from './second-pass'
import type { VenueHealthChanged } from './venue-board'
import type { TranscriptChanged, TranscriptEditing } from './transcript'
import type { CaptionCorrected, CaptionFinal, CaptionPartial, CaptionState } from './captions'

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
  | 'organizer'
  | 'administrator'

export type Source = 'microphone' | 'camera' | 'screen' | 'screen_sound'
export type Device = 'phone' | 'laptop' | 'wall'
/** which door somebody came through */
export type EntryMeans = 'token' | 'invite' | 'operator' | 'code' | 'staff'
export type Quality = 0 | 1 | 2 | 3 | null

export interface Publication {
  id: string
  kind: 'audio' | 'video'
  source: Source
  label: string | null
  codec: string | null
  /** of cameras: the one that is meant where a single one is */
  main?: boolean
}

export interface Participant {
  id: string
  name: string
  role: Role
  venue: string | null
  kind: 'client' | 'whip' | 'ingest' | 'clip'
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
  title?: string | null
  sector?: string | null
  /** a phone in a hall: no loudspeaker, a microphone only with the floor */
  in_hall?: boolean
  entered_by?: EntryMeans
}

export interface Consultation {
  id: string
  title: string
  status: string
  mode: string
  /** whether what is said is kept */
  recording?: RecordingState
  /** absent on servers without captions */
  captions?: CaptionState
  /** whether they stand in the program's picture, too */
  program_captions?: boolean
}

export type RecordingState = 'off' | 'on' | 'paused' | 'trouble'

export interface Self {
  participant_id: string
  name: string
  role: Role
  venue: string | null
  resume_secret: string
  resumed: boolean
  can: string[]
  in_hall?: boolean
}

export interface Speaker {
  participant_id: string
  level_db: number
}

/** who may open the microphone: everybody, by the agenda, or by the chair's word */
export type FloorMode = 'free' | 'agenda' | 'chair'
export type FloorEnding = 'soft' | 'hard'

export interface FloorHolder {
  participant_id: string
  name: string
  venue: string | null
  granted_at_ms: number | null
  /** program time since when it counts down; null before sound arrived and while the line is down */
  started_at_ms: number | null
  /** null: no limit */
  duration_ms: number | null
  /** time of this holding before started_at_ms */
  spoken_ms: number
  ending: FloorEnding
  state: 'waiting' | 'running' | 'over' | 'grace'
}

export interface QueueEntry {
  participant_id: string
  name: string
  role: Role
  venue: string | null
  requested_wall_ms: number
}

export interface Floor {
  mode: FloorMode
  holder: FloorHolder | null
  queue: QueueEntry[]
}

export type AgendaKind = 'report' | 'speech' | 'discussion' | 'response' | 'summary' | 'promotion' | 'break'

export interface AgendaItem {
  id: string
  title: string
  kind: AgendaKind
  planned_minutes: number | null
  planned_start_wall_ms: number | null
  speaker: string | null
  state: 'pending' | 'current' | 'done'
  started_at_ms: number | null
  ended_at_ms: number | null
  /** of a comment that was put to the session: its id, all of its words, and who wrote them from where */
  comment_id?: string | null
  words?: string | null
  nickname?: string | null
  place?: string | null
}

export type AgendaDraft = Pick<AgendaItem, 'title' | 'kind' | 'planned_minutes' | 'planned_start_wall_ms' | 'speaker'> & { id?: string }

export interface Statement {
  id: string
  participant_id: string
  name: string
  role: Role
  venue: string | null
  text: string
  at_ms: number | null
  at_wall_ms: number
  reply_to: string | null
  likes: number
  /** by the receiver; absent in events, which go to all */
  liked?: boolean
  /** taken to the floor by the chair */
  taken: boolean
  /** for the secretariat alone */
  private: boolean
}

/** somebody in front of the door, for those who may admit */
export interface WaitingPerson {
  participant_id: string
  name: string
  role: Role
  title: string | null
  venue: string | null
  entered_by: EntryMeans | null
  in_hall: boolean
  /** false: no invitee has this name */
  known: boolean
  since_wall_ms: number
}

/** Why a stretch is not for the public: the emergency button, named afterwards, or the recording paused. */
export type CutKind = 'cut' | 'withdrawn' | 'pause'

/** A stretch of program time that the public does not see; an end of null has not come yet. */
export interface Withdrawn {
  id: string
  kind: CutKind
  from_ms: number
  to_ms: number | null
  by: string
  at_wall_ms: number
  reason: string
  /** since when it is public again */
  reinstated_wall_ms: number | null
}

/** What goes to the public. */
export interface Broadcast {
  /** whether there is a public at all */
  is_public: boolean
  /** while it is cut off; `since_ms` is where the card begins, in program time */
  cut: { id: string; since_ms: number; since_wall_ms: number; by: string } | null
  delay_s: number
  /** newest first, the running cut among them */
  withdrawn: Withdrawn[]
}

export type ProgramState = 'off' | 'starting' | 'on' | 'trouble'
export type DirectionMode = 'auto' | 'manual'
export type ProgramLayout = 'speaker' | 'strip' | 'grid' | 'side' | 'screen'

/** The program: `layout` and `people` are what is shown, `chosen_…` what was directed. */
export interface Program {
  state: ProgramState
  /** of a trouble */
  reason: string | null
  layout: string | null
  people: string[]
  /** 0 as it should be, up to 5 as more is left out to keep up */
  load_level: number
  fps: number
  mode: DirectionMode
  chosen_layout: ProgramLayout | null
  chosen_people: string[]
}

/** Where recording and program are kept. */
/** what the files of a consultation's body take, of what they may */
export interface StorageUse {
  used_bytes: number
  max_bytes: number
  fill: 'ok' | 'near' | 'full'
}

export interface Disk {
  free_bytes: number
  warn: boolean
}

/** What desk and operators of a venue write to each other, beside the meeting. */
export interface VenueMessage {
  id: string
  /** of a prepared venue; the name of a hall that has none */
  venue_id: string
  venue: string
  /** an operator wrote it, else the desk did */
  from_venue: boolean
  author_id: string
  name: string
  text: string
  at_ms: number | null
  at_wall_ms: number
}

/** First event of who has to wait; then room.snapshot on the same socket, or session.removed. */
export interface Waiting {
  name: string
  role: Role
  venue: string | null
  since_wall_ms: number
  participant_id: string
  resume_secret: string
  consultation: { id: string; title: string; status: string; scheduled_at_ms: number | null; organization: string | null }
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
  /** absent on servers that have no agenda, floor and statements yet */
  agenda?: AgendaItem[]
  floor?: Floor
  /** the newest, oldest first */
  statements?: Statement[]
  statement_count?: number
  /** null for those who may not admit */
  waiting?: WaitingPerson[] | null
  /** the last that were said, oldest first */
  recent_captions?: CaptionFinal[]
  /** oldest first: of all venues for desks, of the own one for operators, null for everybody else */
  venue_messages?: VenueMessage[] | null
  /** desks alone */
  broadcast?: Broadcast
  /** null when none is made */
  program?: Program | null
  /** null until it was looked at */
  disk?: Disk | null
  /** null where its body has no limit */
  storage?: StorageUse | null
  /** for desks all, for operators their venue's; absent on servers without them */
  cameras?: CameraNow[]
  /** the one that is played into the room */
  clip?: PlayingClip | null
  /** ok, starting, absent, failed or off */
  relay?: string
}

/** What a desk is told: the room without a seat in it. */
export type DeskSnapshot = Omit<Snapshot, 'self' | 'media'> & { self: Pick<Self, 'name' | 'role' | 'venue' | 'can'> }

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
  main?: boolean
}

/** A picture that is shown: its size in device pixels; greater priorities go first. */
export interface TrackWish {
  publication_id: string
  width: number
  height: number
  priority: number
}

/** `size`: all that the tile needs; `bandwidth`: less than that, or nothing, because the way here is too narrow; `hidden`: not asked for. */
export type AllocationReason = 'size' | 'bandwidth' | 'hidden'

export interface AllocatedTrack {
  publication_id: string
  /** null: nothing is sent */
  layer: string | null
  height: number
  reason: AllocationReason
}

/** What of each picture is sent to this device now, whole. */
export interface Allocation {
  tracks: AllocatedTrack[]
  /** pictures were asked for, and none fits */
  sound_only: boolean
  available_bps: number | null
}

/** How a track was played since the last report. */
export interface PlayedTrack {
  publication_id: string
  freeze_ms?: number
  concealed_ms?: number
  frames_per_second?: number
}

/** Everything the server may send, by event name. */
export interface ServerEvents {
  'room.snapshot': Snapshot
  'desk.snapshot': DeskSnapshot
  'participant.joined': { version: number; participant: Participant }
  'participant.updated': { version: number; participant: Participant }
  'participant.left': { version: number; participant_id: string; reason: 'left' | 'lost' | 'removed' | 'revoked' }
  'consultation.updated': { version: number; consultation: Consultation }
  'agenda.updated': { version: number; agenda: AgendaItem[] }
  'floor.updated': { version: number; floor: Floor }
  'statement.added': { version?: number; statement: Statement }
  'statement.updated': { version?: number; statement: Statement }
  'waiting.joined': { person: WaitingPerson }
  'waiting.left': { participant_id: string }
  'venue.message': { message: VenueMessage }
  /** to desks: the venues that look different now */
  'venue.health': VenueHealthChanged
  'broadcast.updated': { broadcast: Broadcast }
  'program.updated': { program: Program | null }
  'disk.updated': { disk: Disk }
  'storage.updated': { storage: StorageUse | null }
  'camera.updated': { camera: CameraNow }
  'clip.updated': { version: number; clip: PlayingClip | null }
  'clips.updated': { clips: Clip[] }
  'camera.removed': { camera_id: string }
  'relay.updated': { relay: string }
  'comments.updated': CommentsUpdated
  'transcript.changed': TranscriptChanged
  'transcript.editing': TranscriptEditing
  'transcript.second_pass': SecondPass
  'captions.updated': { version: number; state: CaptionState }
  /** captions have no place among the versions: a lost one harms nothing */
  'caption.partial': CaptionPartial
  'caption.final': CaptionFinal
  'caption.corrected': CaptionCorrected
  'floor.turn': { duration_ms: number | null; ending: FloorEnding }
  'floor.warning': { left_ms: number }
  'floor.ended': { reason: 'withdrawn' | 'time' | 'finished' }
  'speakers.changed': { speakers: Speaker[] }
  'media.offer': MediaOffer
  'media.restart': { epoch: string }
  'media.allocation': Allocation
  /** which encodings of one's own track anybody receives */
  'media.layers': { publication_id: string; layers: string[] }
  'subscription.changed': { publication_id: string; state: SubscriptionState }
  'participant.mute': { by: string; hard: boolean; muted: boolean }
  /** another operator works this venue from now on */
  'venue.taken_over': { by: string }
  'room.waiting': Waiting
  'session.replaced': Record<string, never>
  'session.removed': { by: string; reason?: 'removed' | 'refused' | 'revoked' }
  'session.refused': { code: string; message: string }
}
export type ServerEvent = keyof ServerEvents

/** What may be asked, with the payload and the data of the answer. */
export interface Requests {
  'media.publish': [{ sdp: string; tracks: PublishedTrack[] }, { sdp: string }]
  'media.restart': [Record<string, never>, unknown]
  'media.wish': [{ items: TrackWish[] }, unknown]
  'media.report': [{ interval_ms: number; items: PlayedTrack[] }, unknown]
  'participant.update': [{ name?: string; microphone?: boolean; camera?: boolean }, { participant: Participant }]
  'participant.mute': [
    { participant_id?: string; all?: true; muted: boolean; hard?: boolean },
    { changed: number },
  ]
  /** `admitted`: how many that let in; not_found when somebody does not wait any more */
  'participant.admit': [{ participant_id?: string; all?: true }, { admitted: number }]
  'participant.refuse': [{ participant_id: string }, unknown]
  'participant.remove': [{ participant_id: string }, unknown]
  'floor.request': [Record<string, never>, { place: number }]
  'floor.withdraw': [{ participant_id?: string }, unknown]
  'floor.grant': [
    { participant_id: string; duration_ms?: number | null; ending?: FloorEnding; version?: number },
    { floor: Floor },
  ]
  'floor.extend': [{ ms: number }, { floor: Floor }]
  'floor.end': [Record<string, never>, { floor: Floor }]
  'floor.order': [{ participant_ids: string[] }, { floor: Floor }]
  'floor.mode': [{ mode: FloorMode }, { floor: Floor }]
  'agenda.set': [{ items: AgendaDraft[]; version?: number }, { agenda: AgendaItem[] }]
  'agenda.start': [{ item_id: string; version?: number }, { agenda: AgendaItem[] }]
  'agenda.next': [{ version?: number }, { agenda: AgendaItem[] }]
  'agenda.end': [{ version?: number }, { agenda: AgendaItem[] }]
  'rehearsal.start': [Record<string, never>, unknown]
  'rehearsal.end': [{ keep: boolean }, { kept_id: string | null }]
  'rehearsal.comment': [{ text: string; nickname?: string }, unknown]
  'statement.add': [{ text: string; reply_to?: string; private?: boolean; key: string }, { statement: Statement }]
  'statement.like': [{ id: string; liked: boolean }, { statement: Statement }]
  'statement.take': [{ id: string; taken: boolean }, { statement: Statement }]
  'statements.list': [{ before?: string; limit?: number }, { items: Statement[]; next: string | null }]
  /** an operator may leave `venue_id` out; the same key again is the same message */
  'venue.message': [{ venue_id?: string; text: string; key: string }, { message: VenueMessage }]
  /** what the other pages of one's own venue send is shut */
  'venue.take_over': [Record<string, never>, unknown]
  'program.direct': [{ mode: DirectionMode; layout?: ProgramLayout; people?: string[] }, { program: Program | null }]
  'program.captions': [{ on: boolean }, unknown]
  'broadcast.cut': [{ back_s?: number }, { broadcast: Broadcast }]
  'broadcast.restore': [Record<string, never>, { broadcast: Broadcast }]
  'broadcast.withdraw': [{ from_ms: number; to_ms: number; reason: string }, { broadcast: Broadcast }]
  'broadcast.reinstate': [{ id: string; reason: string }, { broadcast: Broadcast }]
  'recording.pause': [{ paused: boolean }, unknown]
  'clip.play': [{ clip_id: string; from_ms?: number }, { clip: PlayingClip }]
  'clip.pause': [Record<string, never>, { clip: PlayingClip }]
  'clip.resume': [Record<string, never>, { clip: PlayingClip }]
  'clip.seek': [{ position_ms: number }, { clip: PlayingClip }]
  'clip.stop': [Record<string, never>, unknown]
  'comments.list': [CommentsWanted, CommentGroupPage]
  'comments.group': [{ id: string; after?: string; limit?: number }, { items: ModeratedComment[]; next: string | null }]
  'comments.topics': [Record<string, never>, { topics: CommentTopic[]; at_wall_ms: number; last_number: number }]
  'comment.approve': [CommentTarget, Decided]
  'comment.reject': [CommentTarget & { reason?: string }, Decided]
  'comment.hold': [CommentTarget, Decided]
  'comment.hide': [CommentTarget & { reason?: string }, Decided]
  'comment.reopen': [{ ids: string[] }, Decided]
  'comment.undo': [{ id: string }, Decided]
  'comment.claim': [{ id: string; take_over?: boolean }, { group: CommentGroup }]
  'comment.release': [{ id: string }, { group: CommentGroup }]
  'comment.represent': [{ id: string }, { group: CommentGroup }]
  'comment.merge': [{ ids: string[] }, Decided]
  'comment.split': [{ ids: string[] }, Decided]
  'comment.promote': [{ id: string }, { state: string; promotion: Promotion }]
  'promotions.list': [Record<string, never>, { items: Promotion[] }]
  'promotion.decline': [{ id: string }, { state: string; promotion: Promotion }]
  'promotion.end': [{ id?: string }, { state: string; promotion: Promotion }]
  'transcript.edit_at': [{ segment_id: string; at: number | null }, unknown]
  'room.sync': [Record<string, never>, Snapshot]
  'room.leave': [Record<string, never>, unknown]
}
export type RequestName = keyof Requests

export type Ack<T> = { ok: true; data: T } | { ok: false; error: { code: string; message: string } }
