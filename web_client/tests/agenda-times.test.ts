import { describe, expect, it } from 'vitest'
import { drift, plannedStarts } from '@/components/agenda-times'
import { agendaItem } from './fakes'

const MINUTE = 60_000

describe('the agenda in minutes', () => {
  it('computes its times from the start and the durations', () => {
    const items = [agendaItem('a'), agendaItem('b', { planned_minutes: null }), agendaItem('c'), agendaItem('d', { planned_start_wall_ms: 90 * MINUTE })]
    expect(plannedStarts(items, 0)).toEqual([0, 10 * MINUTE, null, 90 * MINUTE])
    expect(plannedStarts(items.slice(0, 2), null)).toEqual([null, null])
  })

  it('says how late it is, and is not early because of an item that still runs', () => {
    const done = agendaItem('a', { state: 'done', started_at_ms: 0, ended_at_ms: 12 * MINUTE })
    const current = agendaItem('b', { state: 'current', started_at_ms: 12 * MINUTE })
    expect(drift([done, current], 15 * MINUTE)).toBe(2)
    expect(drift([done, current], 25 * MINUTE)).toBe(5)
    expect(drift([agendaItem('a')], 0)).toBeNull()
  })
})
