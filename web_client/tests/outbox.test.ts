import { beforeEach, describe, expect, it, vi } from 'vitest'
import { RequestError } from '@/api/room-socket'
import { Outbox, type Letter } from '@/stores/outbox'
import { settle } from './fakes'

let stored: Letter[]
let sent: Letter[]
let answer: () => Promise<unknown>

const outbox = (): Outbox =>
  new Outbox({
    read: () => stored,
    keep: (letters) => (stored = letters),
    changed: () => undefined,
    send: (letter) => {
      sent.push(letter)
      return answer()
    },
  })

beforeEach(() => {
  vi.useFakeTimers()
  stored = []
  sent = []
  answer = () => Promise.resolve()
})

describe('statements on their way', () => {
  it('wait for the line, go out in their order, and are then forgotten', async () => {
    const own = outbox()
    own.add('一', null, false)
    own.add('二', null, true)
    await settle()
    expect(sent).toEqual([])
    expect(stored.map((each) => each.text)).toEqual(['一', '二'])
    own.line(true)
    await settle()
    expect(sent.map((each) => [each.text, each.private])).toEqual([
      ['一', false],
      ['二', true],
    ])
    expect(stored).toEqual([])
  })

  it('come again with the same key when no answer came, also after the page was loaded again', async () => {
    answer = () => Promise.reject(new RequestError('timeout'))
    const own = outbox()
    own.line(true)
    own.add('一', null, false)
    await settle()
    own.line(false)
    answer = () => Promise.resolve()
    outbox().line(true)
    await settle()
    expect(sent).toHaveLength(2)
    expect(sent[0]?.key).toBe(sent[1]?.key)
    expect(sent[0]?.key).toMatch(/^[0-9a-f]{32}$/)
    expect(stored).toEqual([])
  })

  it('are tried again after a moment when it was too fast', async () => {
    answer = () => Promise.reject(new RequestError('rate_limited'))
    const own = outbox()
    own.line(true)
    own.add('一', null, false)
    await settle()
    answer = () => Promise.resolve()
    vi.advanceTimersByTime(3000)
    await settle()
    expect(sent).toHaveLength(2)
    expect(stored).toEqual([])
  })

  it('stay with a word when they are refused, and do not stand in the way of the next', async () => {
    answer = () => Promise.reject(new RequestError('bad_request'))
    const own = outbox()
    own.line(true)
    own.add('一', null, false)
    await settle()
    answer = () => Promise.resolve()
    own.add('二', null, false)
    await settle()
    expect(stored.map((each) => [each.text, each.refused])).toEqual([['一', 'bad_request']])
    own.drop(stored[0]?.key ?? '')
    expect(stored).toEqual([])
  })
})
