import { describe, expect, it } from 'vitest'
import { added, canMove, draftOf, finished, identified, moved, named, placed, removed } from '@/pages/desk/agenda-draft'
import { agendaItem } from './fakes'

const items = draftOf([agendaItem('done', { state: 'done' }), agendaItem('now', { state: 'current' }), agendaItem('a', { planned_start_wall_ms: 100 }), agendaItem('b')])

describe('editing the agenda', () => {
  it('moves what is to come, and leaves planned times at their places', () => {
    expect(moved(items, 2, 1).map((each) => [each.id, each.planned_start_wall_ms])).toEqual([
      ['done', null],
      ['now', null],
      ['b', 100],
      ['a', null],
    ])
    expect(canMove(items, 2, -1)).toBe(false)
    expect(canMove(items, 0, 1)).toBe(false)
    expect(moved(items, 3, 1)).toEqual(items)
  })

  it('removes only what is to come', () => {
    expect(removed(items, 'a').map((each) => each.id)).toEqual(['done', 'now', 'b'])
    expect(removed(items, 'now')).toHaveLength(4)
  })

  it('sends new ones without an id and none without a title', () => {
    const next = added(added(items.slice(2), 'new-1'), 'new-2')
    const row = next[2]
    if (row) Object.assign(row, { title: ' 小结 ', kind: 'summary', speaker: ' ' })
    expect(finished(next).map((each) => [each.id, each.title, each.speaker])).toEqual([
      ['a', 'a', null],
      ['b', 'b', null],
      [undefined, '小结', null],
    ])
  })
})

describe('dragging and saving', () => {
  it('moves to a place, and not past what began', () => {
    const more = added(items, 'c')
    expect(placed(more, 'c', 2).map((each) => each.key)).toEqual(['done', 'now', 'c', 'a', 'b'])
    expect(placed(more, 'c', 0).map((each) => each.key)).toEqual(['done', 'now', 'c', 'a', 'b'])
    expect(placed(more, 'a', 4).map((each) => each.key)).toEqual(['done', 'now', 'b', 'c', 'a'])
  })

  it('gives new rows the ids that they were saved under', () => {
    const begun = added(added(items.slice(2), 'new-1'), 'new-2').map((each) => (each.key === 'new-2' ? { ...each, title: '小结' } : each))
    const saved = [agendaItem('a'), agendaItem('b'), agendaItem('x')]
    expect(identified(begun, named(begun), saved).map((each) => each.id)).toEqual(['a', 'b', undefined, 'x'])
  })
})
