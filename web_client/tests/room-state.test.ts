import { describe, expect, it } from 'vitest'
import type { AgendaItem, Floor, Participant, ServerEvent, ServerEvents, Statement, WaitingPerson } from '@/api/messages'
import { applyEvent, STATEMENTS_KEPT, stateFrom, type RoomState } from '@/stores/room-state'
import { agendaItem, holding, participant, snapshot, statement } from './fakes'

/** A small server: keeps the truth and says each change as an event. */
class Truth {
  version = 1
  participants: Participant[] = [participant('me')]
  agenda: AgendaItem[] = []
  floor: Floor = { mode: 'free', holder: null, queue: [] }
  statements: Statement[] = []
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
  plan(agenda: AgendaItem[]): void {
    this.version += 1
    this.agenda = agenda
    this.events.push({ name: 'agenda.updated', payload: { version: this.version, agenda } })
  }
  give(floor: Floor): void {
    this.version += 1
    this.floor = floor
    this.events.push({ name: 'floor.updated', payload: { version: this.version, floor } })
  }
  /** A private note is told without a version. */
  write(name: 'statement.added' | 'statement.updated', each: Statement): void {
    const at = this.statements.findIndex((one) => one.id === each.id)
    if (at >= 0) this.statements[at] = each
    else this.statements.push(each)
    const told: Partial<Statement> = { ...each }
    delete told.liked
    if (!each.private) this.version += 1
    this.events.push({ name, payload: { ...(each.private ? {} : { version: this.version }), statement: told } })
  }
  snapshot(): ReturnType<typeof snapshot> {
    return snapshot({
      version: this.version,
      participants: [...this.participants],
      agenda: this.agenda,
      floor: this.floor,
      statements: this.statements.slice(-STATEMENTS_KEPT),
      statement_count: this.statements.length,
    })
  }
}

const feed = (state: RoomState, event: { name: ServerEvent; payload: unknown }): boolean =>
  applyEvent(state, event.name, event.payload as ServerEvents[ServerEvent])

describe('room state', () => {
  it('after a snapshot and the events is what a fresh snapshot says', () => {
    const truth = new Truth()
    const state = stateFrom(truth.snapshot())
    let seed = 7
    const random = (below: number): number => {
      seed = (seed * 48271) % 2147483647
      return seed % below
    }
    for (let step = 0; step < 1500; step += 1) {
      const id = `p${random(8)}`
      const known = truth.participants.some((each) => each.id === id)
      const next = participant(id, { microphone: random(2) === 1, hand: random(3) || null, connected: random(5) > 0 })
      const what = random(6)
      if (what === 0) truth.plan([agendaItem('one', { state: random(2) ? 'current' : 'done' }), agendaItem(`item${step}`)])
      else if (what === 1) truth.give({ mode: random(2) ? 'chair' : 'free', holder: random(2) ? holding(id) : null, queue: [] })
      else if (what === 2) truth.write('statement.added', statement(`s${step}`, { at_wall_ms: step, private: random(5) === 0 }))
      else if (what === 3 && truth.statements.length) {
        const old = truth.statements[random(truth.statements.length)]
        if (old) truth.write('statement.updated', { ...old, likes: old.likes + 1 })
      } else if (!known) truth.change('participant.joined', next)
      else if (random(4) === 0) truth.leave(id)
      else truth.change('participant.updated', next)
    }
    for (const event of truth.events) expect(feed(state, event)).toBe(true)
    expect(state).toEqual(stateFrom(truth.snapshot()))
  })

  it('notices a hole and stays as it was', () => {
    const state = stateFrom(snapshot())
    const before = structuredClone(state)
    const late = { version: 3, participant: participant('late') }
    expect(applyEvent(state, 'participant.joined', late)).toBe(false)
    expect(state).toEqual(before)
  })

  it('ignores what a newer snapshot already contains', () => {
    const state = stateFrom(snapshot({ version: 5 }))
    expect(applyEvent(state, 'participant.joined', { version: 4, participant: participant('old') })).toBe(true)
    expect(state.participants.map((each) => each.id)).toEqual(['me'])
    expect(state.version).toBe(5)
  })

  it('takes speakers without a version and forgets who left', () => {
    const state = stateFrom(snapshot({ participants: [participant('me'), participant('other')] }))
    applyEvent(state, 'speakers.changed', { speakers: [{ participant_id: 'other', level_db: -20 }] })
    expect(state.speakers).toHaveLength(1)
    applyEvent(state, 'participant.left', { version: 2, participant_id: 'other', reason: 'lost' })
    expect(state.speakers).toEqual([])
  })

  it('keeps what the receiver likes, which events do not tell', () => {
    const state = stateFrom(snapshot({ statements: [statement('one', { liked: true, likes: 1 })], statement_count: 1 }))
    const told: Statement = statement('one', { likes: 2 })
    delete told.liked
    applyEvent(state, 'statement.updated', { version: 2, statement: told })
    expect(state.statements).toEqual([statement('one', { liked: true, likes: 2 })])
  })

  it('lives without agenda, floor and statements', () => {
    const state = stateFrom(snapshot())
    expect(state).toMatchObject({ agenda: null, floor: null, statements: null, statementCount: 0 })
  })
})

describe('who waits in front of the door', () => {
  const person = (id: string, since: number): WaitingPerson => ({
    participant_id: id,
    name: id,
    role: 'member',
    title: '',
    venue: null,
    entered_by: null,
    in_hall: false,
    known: true,
    since_wall_ms: since,
  })

  it('stands in the order of coming and has no place among the versions', () => {
    const state = stateFrom(snapshot({ waiting: [person('late', 30)] }))
    const { version } = state
    applyEvent(state, 'waiting.joined', { person: person('early', 10) })
    applyEvent(state, 'waiting.joined', { person: person('early', 20) })
    expect(state.waiting?.map((each) => [each.participant_id, each.since_wall_ms])).toEqual([['early', 20], ['late', 30]])
    applyEvent(state, 'waiting.left', { participant_id: 'late' })
    expect(state.waiting?.map((each) => each.participant_id)).toEqual(['early'])
    expect(state.version).toBe(version)
  })

  it('is not told to those who may not admit', () => {
    expect(stateFrom(snapshot({ waiting: null })).waiting).toBeNull()
  })
})
