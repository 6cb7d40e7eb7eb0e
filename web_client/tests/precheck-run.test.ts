import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ITEMS, type Figures, type Judgement, type PrecheckItem } from '@/api/precheck'
import { LIMITS_MS, usePrecheckRun } from '@/pages/precheck/precheck-run'

/** Each item takes a second, unless it is held; the server finds what it is told to find. */
function stage() {
  const verdicts: Partial<Record<PrecheckItem, Judgement>> = {}
  const held = new Set<PrecheckItem>()
  const measured: PrecheckItem[] = []
  let offline = false
  const run = usePrecheckRun({
    measure: (item) => () =>
      new Promise<Figures>((resolve) => {
        measured.push(item)
        if (!held.has(item)) setTimeout(() => resolve({ offset_ms: measured.length, uncertainty_ms: 1 }), 1000)
      }),
    judge: (item) => (offline ? Promise.reject(new Error('offline')) : Promise.resolve(verdicts[item] ?? { verdict: 'passed', faults: [] })),
    now: () => Date.now(),
  })
  const verdict = (item: PrecheckItem): string | undefined => run.rows.find((row) => row.item === item)?.judgement?.verdict
  const state = (item: PrecheckItem): string | undefined => run.rows.find((row) => row.item === item)?.state
  return { run, verdicts, held, measured, verdict, state, cut: (on: boolean) => (offline = on) }
}

const seconds = (n: number): Promise<unknown> => vi.advanceTimersByTimeAsync(1000 * n + 50)

describe('the course of a pre-check', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  it('goes through all nine by itself, and is ready then', async () => {
    const { run, measured } = stage()
    run.begin()
    expect(run.ready.value).toBe(false)
    await seconds(9)
    expect(measured).toEqual([...ITEMS])
    expect(run.ready.value).toBe(true)
    expect(run.usedMs.value).toBeGreaterThanOrEqual(9000)
    expect(run.usedMs.value).toBeLessThan(10_000)
    expect(run.sheet().items.map((each) => each.item)).toEqual([...ITEMS])
  })

  it('stands still in a pause, which does not count, and begins the item anew', async () => {
    const { run, measured, state } = stage()
    run.begin()
    await seconds(1.5)
    run.pause()
    await seconds(60)
    expect(state('light')).toBe('waiting')
    expect(measured).toEqual(['camera', 'light'])
    expect(run.usedMs.value).toBeLessThan(2000)
    run.resume()
    await seconds(8)
    expect(measured.slice(0, 3)).toEqual(['camera', 'light', 'light'])
    expect(run.ready.value).toBe(true)
  })

  it('repeats an item at once and goes on where it was', async () => {
    const { run, measured, verdicts, verdict } = stage()
    verdicts.camera = { verdict: 'failed', faults: ['frozen'] }
    run.begin()
    await seconds(2.5)
    delete verdicts.camera
    run.repeat('camera')
    await seconds(9)
    expect(measured).toEqual(['camera', 'light', 'microphone', 'camera', 'microphone', 'loudspeaker', 'echo', 'network', 'clock', 'projection', 'nameplate'])
    expect(verdict('camera')).toBe('passed')
    expect(run.ready.value).toBe(true)
  })

  it('skips what runs, with the reason in the sheet', async () => {
    const { run, held, verdict } = stage()
    held.add('network')
    run.begin()
    await seconds(7)
    expect(run.current.value).toBe('network')
    run.skip('network', '网线没有到')
    await seconds(4)
    expect(verdict('network')).toBe('skipped')
    expect(run.ready.value).toBe(true)
    expect(run.sheet().items[5]).toEqual({ item: 'network', figures: null, reason: '网线没有到' })
    // A dialog that was open while the item came to its end takes nothing back.
    run.skip('camera', '不要了')
    expect(verdict('camera')).toBe('passed')
  })

  it('is held up by red until a reason is written, never by amber', async () => {
    const { run, verdicts } = stage()
    verdicts.light = { verdict: 'warning', faults: ['dark'] }
    verdicts.echo = { verdict: 'failed', faults: ['echo'] }
    run.begin()
    await seconds(10)
    expect([run.ready.value, run.red.value?.item]).toEqual([false, 'echo'])
    run.explain('echo', '明天换音箱')
    expect(run.ready.value).toBe(true)
  })

  it('ends by itself where a device never answers', async () => {
    const { run, held, state } = stage()
    held.add('camera')
    run.begin()
    await seconds((LIMITS_MS.camera ?? 0) / 1000 + 10)
    expect(state('camera')).toBe('unmeasured')
    expect([run.ready.value, run.unmeasured.value?.item]).toEqual([false, 'camera'])
    held.clear()
    run.repeat('camera')
    await seconds(2)
    expect(run.ready.value).toBe(true)
  })

  it('says of an item whose figures did not reach the server that it was not measured', async () => {
    const { run, state, cut } = stage()
    cut(true)
    run.begin(['clock'])
    await seconds(2)
    expect(state('clock')).toBe('unmeasured')
    expect(state('camera')).toBe('waiting')
    cut(false)
    run.repeat('clock')
    await seconds(2)
    run.begin()
    await seconds(9)
    expect(run.ready.value).toBe(true)
  })

  it('takes less than ten minutes with every device hanging', () => {
    expect(Object.values(LIMITS_MS).reduce((sum, each) => sum + each, 0)).toBeLessThan(600_000)
  })

  it('begins again from nothing', async () => {
    const { run, measured } = stage()
    run.begin()
    await seconds(10)
    run.restart()
    expect(run.ready.value).toBe(false)
    await seconds(10)
    expect(measured).toHaveLength(18)
    expect(run.ready.value).toBe(true)
  })
})
