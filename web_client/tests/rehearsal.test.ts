import { beforeEach, describe, expect, it } from 'vitest'
import { createPinia, setActivePinia } from 'pinia'
import { runs, useRoom } from '@/stores/room'
import { useLine, type Requester } from '@/stores/line'
import { useRehearsal } from '@/stores/rehearsal'
import { startWords } from '@/pages/room/start-words'
import { snapshot } from './fakes'

const consultation = { id: 'c', title: '协商会', mode: 'free' }
const becomes = (version: number, status: string) => ({ name: 'consultation.updated' as const, payload: { version, consultation: { ...consultation, status } } })

beforeEach(() => setActivePinia(createPinia()))

describe('a rehearsal', () => {
  it('asks for the whole room where program time begins, and where all that was rehearsed is gone', () => {
    const room = useRoom()
    const steps: [string, string, boolean][] = [
      ['scheduled', 'rehearsal', false],
      ['rehearsal', 'rehearsal', true],
      ['rehearsal', 'scheduled', false],
      ['scheduled', 'live', false],
      ['live', 'ended', true],
    ]
    for (const [before, after, whole] of steps) {
      room.take(snapshot({ version: 7, consultation: { ...consultation, status: before } }))
      expect(room.apply(becomes(8, after) as never), `${before} to ${after}`).toBe(whole)
    }
  })

  it('runs as a live session does', () => {
    expect(['draft', 'scheduled', 'rehearsal', 'live', 'ended'].filter(runs)).toEqual(['rehearsal', 'live'])
  })

  it('is begun and ended by whoever may start and end the meeting', async () => {
    const room = useRoom()
    const rehearsal = useRehearsal()
    const asked: unknown[] = []
    useLine().use({ request: (name: string, body: unknown) => (asked.push([name, body]), Promise.resolve({ kept_id: null })) } as unknown as Requester)
    const self = snapshot().self
    room.take(snapshot({ consultation: { ...consultation, status: 'scheduled' }, self: { ...self, can: [] } }))
    expect([rehearsal.mayStart, rehearsal.mayEnd]).toEqual([false, false])
    const can = ['consultation.start', 'consultation.end']
    room.take(snapshot({ consultation: { ...consultation, status: 'scheduled' }, self: { ...self, can } }))
    expect([rehearsal.on, rehearsal.mayStart, rehearsal.mayEnd]).toEqual([false, true, false])
    expect(await rehearsal.start()).toBe(true)
    room.take(snapshot({ consultation: { ...consultation, status: 'rehearsal' }, self: { ...self, can } }))
    expect([rehearsal.on, rehearsal.mayStart, rehearsal.mayEnd]).toEqual([true, false, true])
    expect(await rehearsal.end(true)).toBe(true)
    expect(asked).toEqual([
      ['rehearsal.start', {}],
      ['rehearsal.end', { keep: true }],
    ])
  })

  it('is said before one joins', () => {
    const words = (key: string): string => key
    const info = { participants: 2, consultation: { status: 'rehearsal', scheduled_at_ms: 5 } } as never
    expect(startWords(info, 'zh-CN', words)).toEqual({ head: 'rehearsal.joining', tail: 'join.present' })
  })
})
