import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, afterEach, describe, expect, it, vi } from 'vitest'
import type { CaptionState } from '@/api/captions'
import type { RequestName } from '@/api/messages'
import { useLine } from '@/stores/line'
import { useRoom } from '@/stores/room'
import { useSession } from '@/stores/session'
import { useTranscribing } from '@/stores/transcribing'
import { snapshot } from './fakes'

const asked: string[] = []
let model = { engine: 'vosk', name: 'zh-small', reason: '' }

beforeEach(() => {
  window.history.replaceState(null, '', '/desk/c1')
  setActivePinia(createPinia())
  useSession().token = 'good'
  asked.length = 0
  model = { engine: 'vosk', name: 'zh-small', reason: '' }
  vi.stubGlobal('fetch', (address: string) => {
    asked.push(address)
    return Promise.resolve(new Response(JSON.stringify({ model, state: 'late', lag_ms: 6200, gaps: [], jobs: {} }), { status: 200 }))
  })
})
afterEach(() => vi.unstubAllGlobals())

function live(captions?: CaptionState, can: string[] = ['transcript.read']): ReturnType<typeof useTranscribing> {
  const told = snapshot()
  useRoom().take({ ...told, consultation: { ...told.consultation, status: 'live', ...(captions ? { captions, program_captions: false } : {}) }, self: { ...told.self, can } })
  return useTranscribing()
}

describe('captions as the desk is told', () => {
  it('are unknown to a server that has none', () => {
    const one = live()
    expect([one.state, one.onPicture, one.modelMissing]).toEqual([null, null, false])
  })

  it('say how far they are behind while they are', async () => {
    const one = live('late')
    await one.look()
    expect(asked).toEqual(['/api/v1/consultations/c1/transcript/state'])
    expect(one.lagMs).toBe(6200)
    useRoom().apply({ name: 'captions.updated', payload: { version: 2, state: 'on' } })
    expect([one.state, one.lagMs]).toEqual(['on', null])
  })

  it('lack a model, before the start too', async () => {
    expect(live('no_model').modelMissing).toBe(true)
    model = { engine: '', name: '', reason: 'no_model' }
    const one = live('off')
    expect(one.modelMissing).toBe(false)
    await one.look()
    expect([one.modelMissing, one.reason]).toEqual([true, 'no_model'])
  })

  it('are not asked for by who may not read the transcript', async () => {
    const one = live('late', [])
    await one.look()
    expect(asked).toEqual([])
  })

  it('are put into the picture when the server says so', async () => {
    const one = live('on')
    const sent: unknown[] = []
    useLine().use({ request: <Name extends RequestName>(name: Name, payload: unknown) => Promise.resolve(sent.push([name, payload]) as never) })
    await one.showOnPicture(true)
    expect(sent).toEqual([['program.captions', { on: true }]])
    expect(one.onPicture).toBe(false)
    const now = useRoom().state?.consultation
    useRoom().apply({ name: 'consultation.updated', payload: { version: 2, consultation: { ...(now ?? snapshot().consultation), program_captions: true } } })
    expect(one.onPicture).toBe(true)
  })
})
