import { describe, expect, it } from 'vitest'
import type { Participant, ServerEvent, ServerEvents } from '@/api/messages'
import { applyEvent, stateFrom, type RoomState } from '@/stores/room-state'
import { participant, snapshot } from './fakes'

/** A small server: keeps the truth and says each change as an event. */
class Truth {
  version = 1
  participants: Participant[] = [participant('me')]
  readonly events: { name: ServerEvent; payload: unknown }[] = []

  change(name: 'participant.joined' | 'participant.updated', each: Participant): void {
    this.version += 1
    const at = this.participants.findIndex((one) => one.id === each.id)
    if (at >= 0) this.participants[at] = each
    else this.participants.push(each)
    this.events.push({ name, payload: { version: this.version, participant: each } })
  }
  leave(id: string): void {
    this.version += 1
    this.participants = this.participants.filter((each) => each.id !== id)
    this.events.push({ name: 'participant.left', payload: { version: this.version, participant_id: id, reason: 'left' } })
  }
  snapshot(): ReturnType<typeof snapshot> {
    return snapshot({ version: this.version, participants: [...this.participants] })
  }
}

const feed = (state: RoomState, event: { name: ServerEvent; payload: unknown }): boolean =>
  applyEvent(state, event.name, event.payload as ServerEvents[ServerEvent])

describe('room state', () => {
  it('after a snapshot and the events is what a fresh snapshot says', () => {
    const truth = new Truth()
    const state = stateFrom(truth.snapshot(), 0)
    let seed = 7
    const random = (below: number): number => {
      seed = (seed * 48271) % 2147483647
      return seed % below
    }
    for (let step = 0; step < 500; step += 1) {
      const id = `p${random(8)}`
      const known = truth.participants.some((each) => each.id === id)
      const next = participant(id, { microphone: random(2) === 1, hand: random(3) || null, connected: random(5) > 0 })
      if (!known) truth.change('participant.joined', next)
      else if (random(4) === 0) truth.leave(id)
      else truth.change('participant.updated', next)
    }
    for (const event of truth.events) expect(feed(state, event)).toBe(true)
    expect(state).toEqual(stateFrom(truth.snapshot(), 0))
  })

  it('notices a hole and stays as it was', () => {
    const state = stateFrom(snapshot(), 0)
    const before = structuredClone(state)
    const late = { version: 3, participant: participant('late') }
    expect(applyEvent(state, 'participant.joined', late)).toBe(false)
    expect(state).toEqual(before)
  })

  it('ignores what a newer snapshot already contains', () => {
    const state = stateFrom(snapshot({ version: 5 }), 0)
    expect(applyEvent(state, 'participant.joined', { version: 4, participant: participant('old') })).toBe(true)
    expect(state.participants.map((each) => each.id)).toEqual(['me'])
    expect(state.version).toBe(5)
  })

  it('takes speakers without a version and forgets who left', () => {
    const state = stateFrom(snapshot({ participants: [participant('me'), participant('other')] }), 0)
    applyEvent(state, 'speakers.changed', { speakers: [{ participant_id: 'other', level_db: -20 }] })
    expect(state.speakers).toHaveLength(1)
    applyEvent(state, 'participant.left', { version: 2, participant_id: 'other', reason: 'lost' })
    expect(state.speakers).toEqual([])
  })
})
