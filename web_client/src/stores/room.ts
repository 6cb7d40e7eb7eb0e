/** The room for the pages: the server's state and what follows from it. */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { Participant, Snapshot } from '@/api/messages'
import type { RoomSession } from '@/rtc/room-session'
import { applyEvent, stateFrom, type RoomState } from './room-state'

type SessionEvent = Parameters<Parameters<typeof RoomSession.prototype.on<'event'>>[1]>[0]

export const isVenue = (each: Participant): boolean => each.role === 'venue_operator' || each.kind === 'whip'

export const useRoom = defineStore('room', () => {
  const state = ref<RoomState | null>(null)

  const participants = computed(() => state.value?.participants ?? [])
  const me = computed(() => participants.value.find((each) => each.id === state.value?.self.participant_id) ?? null)
  const myId = computed(() => state.value?.self.participant_id ?? null)
  const others = computed(() => participants.value.filter((each) => each.id !== myId.value))
  const venues = computed(() => participants.value.filter(isVenue))
  const queue = computed(() =>
    participants.value
      .filter((each) => each.hand !== null)
      .sort((one, two) => (one.hand ?? 0) - (two.hand ?? 0)),
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
    state.value = stateFrom(snapshot, Date.now())
  }

  /** false when a snapshot is needed */
  function apply(event: SessionEvent): boolean {
    return state.value === null || applyEvent(state.value, event.name, event.payload)
  }

  function clear(): void {
    state.value = null
  }

  return { state, participants, me, myId, others, venues, queue, speaking, can, byId, take, apply, clear }
})
