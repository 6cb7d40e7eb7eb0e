/** The room as the server tells it: a snapshot, then events. Applying the events must give what a fresh snapshot would say. */
import type { CameraNow } from '@/api/cameras'
import type { PlayingClip } from '@/api/clips'
import type {
  AgendaItem,
  Broadcast,
  Consultation,
  Disk,
  Floor,
  Participant,
  Program,
  Self,
  ServerEvent,
  ServerEvents,
  Snapshot,
  Speaker,
  Statement,
  StorageUse,
  VenueMessage,
  WaitingPerson,
} from '@/api/messages'

/** as many as a snapshot holds; older ones are asked for */
export const STATEMENTS_KEPT = 100
export const VENUE_MESSAGES_KEPT = 200

export interface RoomState {
  version: number
  consultation: Consultation
  self: Self
  participants: Participant[]
  speakers: Speaker[]
  /** null: the server has none */
  agenda: AgendaItem[] | null
  floor: Floor | null
  /** the newest, oldest first */
  statements: Statement[] | null
  statementCount: number
  /** in front of the door, longest first; null for those who may not admit */
  waiting: WaitingPerson[] | null
  /** between desk and venues, oldest first; null for those who are neither */
  venueMessages: VenueMessage[] | null
  /** what goes to the public, how its program is made and what it is kept on: desks alone are told */
  broadcast: Broadcast | null
  program: Program | null
  disk: Disk | null
  storage: StorageUse | null
  /** of venues, fetched by the server: all for desks, those of the own venue for its operator */
  cameras: CameraNow[]
  /** the one that is played into the room */
  clip: PlayingClip | null
  /** ok, starting, absent, failed or off; null where nobody said */
  relay: string | null
}

export function stateFrom(snapshot: Snapshot): RoomState {
  return {
    version: snapshot.version,
    consultation: snapshot.consultation,
    self: snapshot.self,
    participants: [...snapshot.participants],
    speakers: [...snapshot.speakers],
    agenda: snapshot.agenda ?? null,
    floor: snapshot.floor ?? null,
    statements: snapshot.statements ? [...snapshot.statements] : null,
    statementCount: snapshot.statement_count ?? snapshot.statements?.length ?? 0,
    waiting: snapshot.waiting ? [...snapshot.waiting] : null,
    venueMessages: snapshot.venue_messages ? [...snapshot.venue_messages] : null,
    broadcast: snapshot.broadcast ?? null,
    program: snapshot.program ?? null,
    disk: snapshot.disk ?? null,
    storage: snapshot.storage ?? null,
    cameras: [...(snapshot.cameras ?? [])],
    clip: snapshot.clip ?? null,
    relay: snapshot.relay ?? null,
  }
}

/** false when events are missing in between: the state is left as it is and a snapshot has to be asked for. */
export function applyEvent<Name extends ServerEvent>(
  state: RoomState,
  name: Name,
  payload: ServerEvents[Name],
): boolean {
  if (name === 'speakers.changed') {
    state.speakers = (payload as ServerEvents['speakers.changed']).speakers
    return true
  }
  const version = (payload as { version?: number }).version
  if (version === undefined) {
    if (applyWhole(state, name, payload)) return true
    // Private notes and who waits go to a few and so have no place among the versions.
    if (name === 'waiting.joined') putWaiting(state, (payload as ServerEvents['waiting.joined']).person)
    else if (name === 'camera.updated') putCamera(state, (payload as ServerEvents['camera.updated']).camera)
    else if (name === 'camera.removed') state.cameras = state.cameras.filter((each) => each.id !== (payload as ServerEvents['camera.removed']).camera_id)
    else if (name === 'venue.message') putVenueMessage(state, (payload as ServerEvents['venue.message']).message)
    else if (name === 'waiting.left') dropWaiting(state, (payload as ServerEvents['waiting.left']).participant_id)
    else if (name === 'statement.added' || name === 'statement.updated') putStatement(state, (payload as ServerEvents['statement.added']).statement)
    return true
  }
  // Already contained in a snapshot that was asked for in the meantime.
  if (version <= state.version) return true
  if (version !== state.version + 1) return false
  state.version = version
  switch (name) {
    case 'participant.joined':
    case 'participant.updated':
      put(state, (payload as ServerEvents['participant.joined']).participant)
      break
    case 'participant.left': {
      const { participant_id: id } = payload as ServerEvents['participant.left']
      state.participants = state.participants.filter((each) => each.id !== id)
      state.speakers = state.speakers.filter((each) => each.participant_id !== id)
      break
    }
    case 'consultation.updated':
      state.consultation = (payload as ServerEvents['consultation.updated']).consultation
      break
    case 'captions.updated':
      state.consultation = { ...state.consultation, captions: (payload as ServerEvents['captions.updated']).state }
      break
    case 'clip.updated':
      state.clip = (payload as ServerEvents['clip.updated']).clip
      break
    case 'agenda.updated':
      state.agenda = (payload as ServerEvents['agenda.updated']).agenda
      break
    case 'floor.updated':
      state.floor = (payload as ServerEvents['floor.updated']).floor
      break
    case 'statement.added':
    case 'statement.updated':
      putStatement(state, (payload as ServerEvents['statement.added']).statement)
      break
  }
  return true
}

/** What desks are told whole at each change: the newest counts. */
function applyWhole<Name extends ServerEvent>(state: RoomState, name: Name, payload: ServerEvents[Name]): boolean {
  if (name === 'broadcast.updated') state.broadcast = (payload as ServerEvents['broadcast.updated']).broadcast
  else if (name === 'program.updated') state.program = (payload as ServerEvents['program.updated']).program
  else if (name === 'disk.updated') state.disk = (payload as ServerEvents['disk.updated']).disk
  else if (name === 'storage.updated') state.storage = (payload as ServerEvents['storage.updated']).storage
  else if (name === 'relay.updated') state.relay = (payload as ServerEvents['relay.updated']).relay
  else return false
  return true
}

function put(state: RoomState, participant: Participant): void {
  const at = state.participants.findIndex((each) => each.id === participant.id)
  if (at >= 0) state.participants.splice(at, 1, participant)
  else state.participants.push(participant)
}

function putWaiting(state: RoomState, person: WaitingPerson): void {
  state.waiting = [...(state.waiting ?? []).filter((each) => each.participant_id !== person.participant_id), person].sort(
    (one, two) => one.since_wall_ms - two.since_wall_ms,
  )
}

function putCamera(state: RoomState, camera: CameraNow): void {
  const at = state.cameras.findIndex((each) => each.id === camera.id)
  if (at >= 0) state.cameras.splice(at, 1, camera)
  else state.cameras.push(camera)
}

function dropWaiting(state: RoomState, id: string): void {
  state.waiting = state.waiting?.filter((each) => each.participant_id !== id) ?? null
}

function putVenueMessage(state: RoomState, message: VenueMessage): void {
  const others = (state.venueMessages ?? []).filter((each) => each.id !== message.id)
  state.venueMessages = [...others, message].slice(-VENUE_MESSAGES_KEPT)
}

/** Adds or replaces by id. What the receiver liked is not in an event, so it is kept. */
export function putStatement(state: RoomState, statement: Statement): void {
  const statements = (state.statements ??= [])
  const at = statements.findIndex((each) => each.id === statement.id)
  const next = { ...statement, liked: statement.liked ?? statements[at]?.liked ?? false }
  if (at >= 0) {
    statements.splice(at, 1, next)
    return
  }
  // A change of one that is older than all that are kept.
  if (statements.length >= STATEMENTS_KEPT && statement.at_wall_ms < (statements[0]?.at_wall_ms ?? 0)) return
  statements.push(next)
  state.statementCount += 1
  if (statements.length > STATEMENTS_KEPT) statements.shift()
}
