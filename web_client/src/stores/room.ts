/** The room for the pages: the server's state and what follows from it. */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { Participant, QueueEntry, Snapshot, Statement, VenueMessage } from '@/api/messages'
import type { RoomSession } from '@/rtc/room-session'
import { useClock } from './clock'
import { applyEvent, putStatement, stateFrom, type RoomState } from './room-state'

type SessionEvent = Parameters<Parameters<typeof RoomSession.prototype.on<'event'>>[1]>[0]

export const runs = (status: string | undefined): boolean => status === 'live' || status === 'rehearsal'
export const isVenue = (each: Participant): boolean => each.role === 'venue_operator' || each.kind === 'whip' || each.kind === 'ingest'

export const useRoom = defineStore('room', () => {
  const state = ref<RoomState | null>(null)

  const participants = computed(() => state.value?.participants ?? [])
  const me = computed(() => participants.value.find((each) => each.id === state.value?.self.participant_id) ?? null)
  const myId = computed(() => state.value?.self.participant_id ?? null)
  const others = computed(() => participants.value.filter((each) => each.id !== myId.value))
  /** live or rehearsed: program time runs */
  const running = computed(() => runs(state.value?.consultation.status))
  const rehearsing = computed(() => state.value?.consultation.status === 'rehearsal')
  /** a film that is played is listed, and is nobody */
  const people = computed(() => participants.value.filter((each) => each.kind !== 'clip').length)
  const venues = computed(() => participants.value.filter(isVenue))
  /** a telephone in a hall: no loudspeaker here, a microphone only with the floor */
  const inHall = computed(() => state.value?.self.in_hall ?? false)
  const agenda = computed(() => state.value?.agenda ?? null)
  const floor = computed(() => state.value?.floor ?? null)
  const holder = computed(() => floor.value?.holder ?? null)
  const waiting = computed(() => state.value?.waiting ?? [])
  const statements = computed(() => state.value?.statements ?? null)
  /** raised hands in their order */
  const queue = computed<QueueEntry[]>(
    () =>
      floor.value?.queue ??
      participants.value
        .filter((each) => each.hand !== null)
        .sort((one, two) => (one.hand ?? 0) - (two.hand ?? 0))
        .map((each) => ({ participant_id: each.id, name: each.name, role: each.role, venue: each.venue, requested_wall_ms: 0 })),
  )
  /** The list of speakers follows the sound by a moment; who is muted does not speak. */
  const speaking = computed(() => {
    const loud = new Set(state.value?.speakers.map((each) => each.participant_id))
    return new Set(participants.value.filter((each) => each.microphone && loud.has(each.id)).map((each) => each.id))
  })

  function can(action: string): boolean {
    return state.value?.self.can.includes(action) ?? false
  }

  function byId(id: string): Participant | null {
    return participants.value.find((each) => each.id === id) ?? null
  }

  function take(snapshot: Snapshot): void {
    state.value = stateFrom(snapshot)
    useClock().anchor(snapshot.program_time_ms, snapshot.server_time_ms)
  }

  /** false when a snapshot is needed */
  function apply(event: SessionEvent): boolean {
    if (state.value === null) return true
    const before = state.value.consultation.status
    const whole = applyEvent(state.value, event.name, event.payload)
    const after = state.value.consultation.status
    // Only a snapshot tells the program time of what has just started, and what a rehearsal leaves.
    return whole && (before === after || !(runs(after) || before === 'rehearsal'))
  }

  /** the answer to a request about one statement, which also says what the receiver likes */
  function keepStatement(statement: Statement): void {
    if (state.value) putStatement(state.value, statement)
  }

  /** the answer to one's own message, which may come before its event */
  function keepVenueMessage(message: VenueMessage): void {
    if (state.value) applyEvent(state.value, 'venue.message', { message })
  }

  function clear(): void {
    state.value = null
  }

  return {
    state,
    participants,
    people,
    me,
    myId,
    others,
    running,
    rehearsing,
    venues,
    inHall,
    agenda,
    floor,
    holder,
    statements,
    waiting,
    queue,
    speaking,
    can,
    byId,
    take,
    apply,
    keepStatement,
    keepVenueMessage,
    clear,
  }
})
