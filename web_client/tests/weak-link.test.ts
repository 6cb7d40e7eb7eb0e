import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { AllocatedTrack } from '@/api/messages'
import { useAllocation } from '@/stores/allocation'
import { useCall } from '@/stores/call'
import { useOwnMedia } from '@/stores/own-media'
import { useWeakLink } from '@/stores/weak-link'

const track = (id: string, more: Partial<AllocatedTrack> = {}): AllocatedTrack => ({ publication_id: id, layer: 'f', height: 720, reason: 'size', ...more })
const narrow = { layer: null, reason: 'bandwidth' } as const
const tell = (tracks: AllocatedTrack[], soundOnly = false): void =>
  useAllocation().told({ tracks, sound_only: soundOnly, available_bps: 300_000 })

beforeEach(() => {
  vi.useFakeTimers()
  setActivePinia(createPinia())
  useCall().link = 'connected'
})

describe('what reaches this device', () => {
  it('is paused by a narrow way alone, not by being hidden', () => {
    tell([track('a'), track('b', narrow), track('c', { layer: null, reason: 'hidden' }), track('d', { layer: 'q', reason: 'bandwidth' })])
    const allocation = useAllocation()
    expect(['a', 'b', 'c', 'd', 'gone', null].map((id) => allocation.paused(id))).toEqual([false, true, false, false, false, false])
    expect(allocation.shortage).toBe('some')
  })

  it('tells when nothing of a picture was sent last', () => {
    const allocation = useAllocation()
    tell([track('a', narrow)])
    vi.advanceTimersByTime(4000)
    expect(allocation.absentAt('a', performance.now())).toBe(performance.now())
    const back = performance.now()
    tell([track('a')])
    vi.advanceTimersByTime(4000)
    expect(allocation.absentAt('a', performance.now())).toBe(back)
    expect(allocation.absentAt('b', performance.now())).toBe(-Infinity)
  })
})

describe('the hint at a weak network', () => {
  it('comes when a shortage lasts, names the gravest, and goes with a word by itself', async () => {
    const weak = useWeakLink()
    tell([track('a'), track('b', narrow)])
    await vi.advanceTimersByTimeAsync(1000)
    expect(weak.hint).toBeNull()
    await vi.advanceTimersByTimeAsync(1500)
    expect(weak.hint).toBe('saving')
    tell([track('a', narrow), track('b', narrow)], true)
    await vi.advanceTimersByTimeAsync(2000)
    expect(weak.hint).toBe('soundOnly')
    tell([track('a'), track('b')])
    await vi.advanceTimersByTimeAsync(4000)
    expect(weak.hint).toBe('restored')
    await vi.advanceTimersByTimeAsync(3000)
    expect(weak.hint).toBeNull()
  })

  it('says nothing of a moment’s shortage', async () => {
    const weak = useWeakLink()
    tell([track('a', narrow)], true)
    await vi.advanceTimersByTimeAsync(1000)
    tell([track('a')])
    await vi.advanceTimersByTimeAsync(10_000)
    expect(weak.hint).toBeNull()
  })

  it('goes when it was read, and comes again for something else', async () => {
    const weak = useWeakLink()
    tell([track('a'), track('b', narrow)])
    await vi.advanceTimersByTimeAsync(2000)
    weak.dismiss()
    expect(weak.hint).toBeNull()
    tell([track('a', narrow), track('b', narrow)], true)
    await vi.advanceTimersByTimeAsync(2000)
    expect(weak.hint).toBe('soundOnly')
  })

  it('leaves the word to the veil while the line is down', async () => {
    const weak = useWeakLink()
    tell([track('a', narrow)], true)
    await vi.advanceTimersByTimeAsync(2000)
    useCall().link = 'reconnecting'
    await vi.advanceTimersByTimeAsync(0)
    expect(weak.hint).toBeNull()
  })

  it('speaks of the device when the network is good', async () => {
    const weak = useWeakLink()
    useOwnMedia().relieved = true
    await vi.advanceTimersByTimeAsync(2000)
    expect(weak.hint).toBe('relieved')
    useOwnMedia().relieved = false
    await vi.advanceTimersByTimeAsync(4000)
    expect(weak.hint).toBeNull()
  })

  it('stays where the link is at its limit, instead of coming and going', async () => {
    const weak = useWeakLink()
    const seen = new Set<string | null>()
    tell([track('a'), track('b', narrow)])
    await vi.advanceTimersByTimeAsync(2500)
    for (let round = 0; round < 5; round += 1) {
      for (const tracks of [[track('a'), track('b')], [track('a'), track('b', narrow)]]) {
        tell(tracks)
        await vi.advanceTimersByTimeAsync(3000)
        seen.add(weak.hint)
      }
    }
    expect([...seen]).toEqual(['saving'])
  })

  it('that was read does not come again for the lighter, and for the same only after it was over', async () => {
    const weak = useWeakLink()
    const [all, some] = [(): void => tell([track('a', narrow)], true), (): void => tell([track('a'), track('b', narrow)])]
    all()
    await vi.advanceTimersByTimeAsync(2000)
    weak.dismiss()
    for (const change of [some, all, some]) {
      change()
      await vi.advanceTimersByTimeAsync(3000)
      expect(weak.hint).toBeNull()
    }
    tell([track('a'), track('b')])
    await vi.advanceTimersByTimeAsync(8000)
    some()
    await vi.advanceTimersByTimeAsync(2000)
    expect(weak.hint).toBe('saving')
  })

  it('says nothing to who has left', async () => {
    const weak = useWeakLink()
    tell([track('a', narrow)], true)
    await vi.advanceTimersByTimeAsync(2000)
    expect(weak.hint).toBe('soundOnly')
    useCall().ended = { kind: 'left' }
    await vi.advanceTimersByTimeAsync(0)
    expect(weak.hint).toBeNull()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(weak.hint).toBeNull()
  })
})
