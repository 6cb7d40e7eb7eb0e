import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { TrackWish } from '@/api/messages'
import { RequestError } from '@/api/room-socket'
import { shownSize, WishSender } from '@/rtc/wish-sender'
import { settle } from './fakes'

const wish = (id: string, height = 360, priority = 0): TrackWish => ({ publication_id: id, width: (height * 16) / 9, height, priority })

let said: TrackWish[][]
let answer: () => Promise<unknown>
let sender: WishSender
const ids = (): string[] | undefined => said.at(-1)?.map((each) => each.publication_id)

beforeEach(() => {
  vi.useFakeTimers()
  said = []
  answer = () => Promise.resolve({})
  sender = new WishSender((items) => {
    said.push(items)
    return answer()
  })
})

describe('what is shown', () => {
  it('is told once the room is entered and the first tile stands, together', async () => {
    const [one, two] = [{}, {}]
    sender.show(one, wish('a'))
    await vi.advanceTimersByTimeAsync(1000)
    expect(said).toEqual([])
    sender.again()
    sender.show(two, wish('b'))
    await vi.advanceTimersByTimeAsync(30)
    expect(said).toHaveLength(1)
    expect(ids()).toEqual(['a', 'b'])
  })

  it('says nothing while no tile ever stood: everything comes then', async () => {
    sender.again()
    await vi.advanceTimersByTimeAsync(1000)
    expect(said).toEqual([])
  })

  it('is told three times a second at most, and only when it changed', async () => {
    const tile = {}
    sender.again()
    for (let height = 100; height < 200; height += 1) {
      sender.show(tile, wish('a', height))
      await vi.advanceTimersByTimeAsync(10)
    }
    expect(said.length).toBeLessThanOrEqual(4)
    await vi.advanceTimersByTimeAsync(300)
    expect(said.at(-1)?.[0]?.height).toBe(199)
    const count = said.length
    sender.show(tile, wish('a', 199))
    await vi.advanceTimersByTimeAsync(1000)
    expect(said).toHaveLength(count)
  })

  it('is one wish for a picture that moves from one tile to another, the larger', async () => {
    const [small, large] = [{}, {}]
    sender.again()
    sender.show(small, wish('a', 90))
    sender.show(large, wish('a', 720, 1))
    await vi.advanceTimersByTimeAsync(30)
    expect(said.at(-1)).toEqual([wish('a', 720, 1)])
    sender.show(small, null)
    await vi.advanceTimersByTimeAsync(1000)
    expect(said).toHaveLength(1)
  })

  it('is told again on a new connection', async () => {
    sender.show({}, wish('a'))
    sender.again()
    await vi.advanceTimersByTimeAsync(30)
    sender.again()
    await vi.advanceTimersByTimeAsync(300)
    expect(said).toHaveLength(2)
  })

  it('is nothing ten seconds after the page went into the background, and at once again when it is back', async () => {
    sender.show({}, wish('a'))
    sender.again()
    await vi.advanceTimersByTimeAsync(30)
    sender.look(false)
    await vi.advanceTimersByTimeAsync(9000)
    expect(ids()).toEqual(['a'])
    await vi.advanceTimersByTimeAsync(1500)
    expect(ids()).toEqual([])
    sender.look(true)
    await vi.advanceTimersByTimeAsync(300)
    expect(ids()).toEqual(['a'])
  })

  it('is nothing, too, of a page that opens in the background, where no tile stands', async () => {
    sender.look(false)
    sender.again()
    await vi.advanceTimersByTimeAsync(10_500)
    expect(said).toEqual([[]])
  })

  it('is not told any more when the room is left, and the next room knows whether the page is looked at', async () => {
    answer = () => Promise.reject(new RequestError('timeout'))
    sender.show({}, wish('a'))
    sender.again()
    await vi.advanceTimersByTimeAsync(30)
    sender.look(false)
    sender.stop()
    await vi.advanceTimersByTimeAsync(11_000)
    expect(said).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
    answer = () => Promise.resolve({})
    sender.again()
    await vi.advanceTimersByTimeAsync(300)
    expect(said.at(-1)).toEqual([])
  })

  it('is told again after a refusal that passes, and left after one that does not', async () => {
    answer = () => Promise.reject(new RequestError('rate_limited'))
    sender.show({}, wish('a'))
    sender.again()
    await vi.advanceTimersByTimeAsync(30)
    answer = () => Promise.reject(new RequestError('bad_request'))
    await vi.advanceTimersByTimeAsync(3000)
    expect(said).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(60_000)
    await settle()
    expect(said).toHaveLength(2)
  })

  it('knows since when a picture is asked for', async () => {
    const tile = {}
    sender.again()
    sender.show(tile, wish('a'))
    await vi.advanceTimersByTimeAsync(30)
    const began = performance.now()
    await vi.advanceTimersByTimeAsync(5000)
    expect(sender.absentAt('a', performance.now())).toBe(began)
    sender.show(tile, null)
    expect(sender.absentAt('a', performance.now())).toBe(performance.now())
  })
})

describe('the size of a shown picture', () => {
  it('is the whole picture in device pixels, whether it is cut off or has bars', () => {
    expect(shownSize({ width: 640, height: 360 }, 'cover', 16 / 9, 1)).toEqual({ width: 640, height: 360 })
    expect(shownSize({ width: 180, height: 135 }, 'cover', 16 / 9, 2)).toEqual({ width: 480, height: 272 })
    expect(shownSize({ width: 1280, height: 900 }, 'contain', 16 / 9, 1)).toEqual({ width: 1280, height: 720 })
    expect(shownSize({ width: 640, height: 360 }, 'contain', 16 / 9, 3)).toEqual({ width: 1280, height: 720 })
  })

  it('is nothing of a tile without a place', () => {
    expect(shownSize({ width: 0, height: 0 }, 'cover', 16 / 9, 1)).toBeNull()
  })
})
