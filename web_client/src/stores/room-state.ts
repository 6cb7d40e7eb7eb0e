/** The room as the server tells it: a snapshot, then events. Applying the events must give what a fresh snapshot would say. */
import type {
  Consultation,
  Participant,
  Self,
  ServerEvent,
  ServerEvents,
  Snapshot,
  Speaker,
} from '@/api/messages'

export interface RoomState {
  version: number
  consultation: Consultation
  self: Self
  participants: Participant[]
  speakers: Speaker[]
  /** program time at the moment `heardAt` of this device's clock; null before the start */
  programTimeMs: number | null
  heardAtMs: number
}

export function stateFrom(snapshot: Snapshot, nowMs: number): RoomState {
  return {
    version: snapshot.version,
    consultation: snapshot.consultation,
    self: snapshot.self,
    participants: [...snapshot.participants],
    speakers: [...snapshot.speakers],
    programTimeMs: snapshot.program_time_ms,
    heardAtMs: nowMs,
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
  if (version === undefined) return true
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
  }
  return true
}

function put(state: RoomState, participant: Participant): void {
  const at = state.participants.findIndex((each) => each.id === participant.id)
  if (at >= 0) state.participants.splice(at, 1, participant)
  else state.participants.push(participant)
}
