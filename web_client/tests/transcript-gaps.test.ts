import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Gap } from '@/api/transcript'
import { useSession } from '@/stores/session'
import { useTranscriptGaps } from '@/stores/transcript-gaps'

let told: Gap[] = []
const gap = (more: Partial<Gap>): Gap => ({ participant_id: 'c1', name: '全场', from_ms: 0, to_ms: 9000, state: 'waived', reason: 'not_transcribed', note: '', ...more })

beforeEach(() => {
  window.history.replaceState(null, '', '/desk/c1/minutes')
  setActivePinia(createPinia())
  useSession().token = 'good'
  vi.stubGlobal('fetch', () => Promise.resolve(Response.json({ model: { engine: '', name: '', reason: '' }, state: 'off', lag_ms: 0, gaps: told, jobs: { waiting: 0, running: 0, done_ms: 0, total_ms: 0 } })))
})
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('a meeting of which nothing was kept', () => {
  it('has no gap among its rows, but says so', async () => {
    told = [gap({})]
    const gaps = useTranscriptGaps()
    await gaps.load()
    expect([gaps.gaps, gaps.open, gaps.nothing]).toEqual([[], [], true])
  })

  it('is another thing than what somebody noted, or may still settle', async () => {
    told = [gap({ note: '只录音' }), gap({ from_ms: 9000, to_ms: 12_000, state: 'lost' })]
    const gaps = useTranscriptGaps()
    await gaps.load()
    expect([gaps.gaps.length, gaps.open.length, gaps.nothing]).toEqual([2, 1, false])
  })
})
