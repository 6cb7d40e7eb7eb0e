import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Broadcast, Program, ProgramLayout, RequestName } from '@/api/messages'
import { RequestError } from '@/api/room-socket'
import { i18n } from '@/i18n'
import { readClock, runningText, spanWords } from '@/pages/desk/broadcast-words'
import { loadWords, shownWords, troubleWords } from '@/pages/desk/program/program-words'
import { useBroadcast } from '@/stores/broadcast'
import { useDirection } from '@/stores/direction'
import { useLine } from '@/stores/line'
import { useNotices } from '@/stores/notices'
import { useRoom } from '@/stores/room'
import { applyEvent, stateFrom } from '@/stores/room-state'
import { useSession } from '@/stores/session'
import { participant, snapshot } from './fakes'

const { t, te } = i18n.global
const words = { t, te: (key: string) => te(key, 'zh-CN') }
const open: Broadcast = { is_public: true, cut: null, delay_s: 15, withdrawn: [] }
const cut: Broadcast = { ...open, cut: { id: 'b1', since_ms: 1000, since_wall_ms: 5000, by: '刘秘书' } }

function program(more: Partial<Program> = {}): Program {
  return { state: 'on', reason: null, layout: 'speaker', people: ['a'], load_level: 0, fps: 25, mode: 'auto', chosen_layout: null, chosen_people: [], ...more }
}

/** The line to the server: what was asked, and what it answers. */
class FakeLine {
  readonly asked: { name: string; payload: unknown }[] = []
  answer: () => Promise<unknown> = () => Promise.resolve({})
  request = <Name extends RequestName>(name: Name, payload: unknown): Promise<never> => {
    this.asked.push({ name, payload })
    return this.answer() as Promise<never>
  }
}

let line: FakeLine
const overHttp: string[] = []
let httpAnswer: () => Promise<Response>

beforeEach(() => {
  vi.useFakeTimers()
  window.history.replaceState(null, '', '/desk/c1')
  setActivePinia(createPinia())
  useSession().token = 'good'
  line = new FakeLine()
  useLine().use(line)
  useLine().up = true
  overHttp.length = 0
  httpAnswer = () => Promise.resolve(new Response(JSON.stringify(cut), { status: 200 }))
  vi.stubGlobal('fetch', (address: string, init: RequestInit) => {
    overHttp.push(`${init.method ?? ''} ${address} ${String(init.body)}`)
    return httpAnswer()
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

function live(can: string[] = ['broadcast.cut', 'program.direct'], more: object = {}): void {
  const told = snapshot({ broadcast: open, program: program(), participants: ['a', 'b', 'c'].map((id) => participant(id, { publications: [{ id, kind: 'video', source: 'camera', label: null, codec: null }] })), ...more })
  useRoom().take({ ...told, consultation: { ...told.consultation, status: 'live' }, self: { ...told.self, can } })
}

describe('what desks are told', () => {
  it('comes whole, and the newest counts, without a place among the versions', () => {
    const state = stateFrom(snapshot())
    expect(state).toMatchObject({ broadcast: null, program: null, disk: null, version: 1 })
    expect(applyEvent(state, 'broadcast.updated', { broadcast: cut })).toBe(true)
    expect(applyEvent(state, 'program.updated', { program: program() })).toBe(true)
    expect(applyEvent(state, 'disk.updated', { disk: { free_bytes: 5, warn: true } })).toBe(true)
    const storage = { used_bytes: 9, max_bytes: 10, fill: 'near' as const }
    expect(applyEvent(state, 'storage.updated', { storage })).toBe(true)
    expect(state.storage).toEqual(storage)
    expect(applyEvent(state, 'storage.updated', { storage: null })).toBe(true)
    expect(state.storage).toBeNull()
    expect(state).toMatchObject({ broadcast: cut, program: program(), disk: { free_bytes: 5, warn: true }, version: 1 })
    expect(applyEvent(state, 'relay.updated', { relay: 'failed' })).toBe(true)
    expect(state).toMatchObject({ relay: 'failed', version: 1 })
    applyEvent(state, 'broadcast.updated', { broadcast: open })
    expect(state.broadcast).toEqual(open)
    expect(stateFrom(snapshot({ broadcast: open, program: program(), disk: null }))).toMatchObject({ broadcast: open, disk: null })
  })
})

describe('the emergency cut-off', () => {
  it('is offered while something is on the air, to those who may', () => {
    const broadcast = useBroadcast()
    expect(broadcast.cuttable).toBe(false)
    live()
    expect(broadcast.cuttable).toBe(true)
    live([])
    expect(broadcast.cuttable).toBe(false)
    live(undefined, { program: null })
    expect(broadcast.cuttable).toBe(false)
    live(undefined, { broadcast: { ...open, is_public: false } })
    expect(broadcast.cuttable).toBe(false)
    live(undefined, { broadcast: cut })
    expect(broadcast.cuttable).toBe(false)
    expect(broadcast.running?.by).toBe('刘秘书')
  })

  it('takes the answer before the event comes', async () => {
    live()
    line.answer = () => Promise.resolve({ broadcast: cut })
    expect(await useBroadcast().cut()).toBe(true)
    expect(line.asked).toEqual([{ name: 'broadcast.cut', payload: {} }])
    expect(useBroadcast().running?.id).toBe('b1')
    expect(overHttp).toEqual([])
  })

  it('goes over HTTP while the line is down', async () => {
    live()
    useLine().up = false
    expect(await useBroadcast().cut()).toBe(true)
    expect(line.asked).toEqual([])
    expect(overHttp).toEqual(['POST /api/v1/consultations/c1/broadcast/cut {}'])
    expect(useBroadcast().running?.id).toBe('b1')
  })

  it('goes over HTTP, too, when the line says nothing', async () => {
    live()
    line.answer = () => new Promise(() => undefined)
    const done = useBroadcast().cut()
    await vi.advanceTimersByTimeAsync(1500)
    expect(await done).toBe(true)
    expect(overHttp).toHaveLength(1)
  })

  it('goes over HTTP when the line breaks, and says a refusal in words', async () => {
    live()
    line.answer = () => Promise.reject(new RequestError('offline'))
    expect(await useBroadcast().withdraw(1000, 2000, '证件')).toBe(true)
    expect(overHttp).toEqual(['POST /api/v1/consultations/c1/broadcast/withdraw {"from_ms":1000,"to_ms":2000,"reason":"证件"}'])
    line.answer = () => Promise.reject(new RequestError('forbidden'))
    expect(await useBroadcast().restore()).toBe(false)
    expect(overHttp).toHaveLength(1)
    expect(useNotices().toasts).toHaveLength(1)
    httpAnswer = () => Promise.reject(new TypeError('no line'))
    useLine().up = false
    expect(await useBroadcast().restore()).toBe(false)
    expect(useNotices().toasts).toHaveLength(2)
  })
})

describe('choosing the picture by hand', () => {
  const asked = (): unknown => line.asked.at(-1)?.payload
  /** The server does what it is asked. */
  function obey(): void {
    line.answer = () => {
      const wish = asked() as { mode: 'auto' | 'manual'; layout?: ProgramLayout; people?: string[] }
      return Promise.resolve({ program: program({ mode: wish.mode, chosen_layout: wish.layout ?? null, chosen_people: wish.people ?? [] }) })
    }
  }
  beforeEach(obey)

  it('begins with what is shown', async () => {
    live(undefined, { program: program({ layout: 'strip', people: ['b', 'gone', 'a'] }) })
    await useDirection().takeOver()
    expect(asked()).toEqual({ mode: 'manual', layout: 'strip', people: ['b', 'a'] })
    live(undefined, { program: program({ layout: 'title', people: [] }) })
    await useDirection().takeOver()
    expect(asked()).toEqual({ mode: 'manual', layout: 'speaker' })
  })

  it('puts people on the picture in the order of choosing, the newest in the last place', async () => {
    live()
    const direction = useDirection()
    await direction.takeOver()
    await direction.setLayout('side')
    await direction.toggle('b')
    expect(asked()).toEqual({ mode: 'manual', layout: 'side', people: ['a', 'b'] })
    await direction.toggle('c')
    expect(asked()).toEqual({ mode: 'manual', layout: 'side', people: ['a', 'c'] })
    await direction.toggle('a')
    expect(asked()).toEqual({ mode: 'manual', layout: 'side', people: ['c'] })
    await direction.toggle('c')
    expect(asked()).toEqual({ mode: 'manual', layout: 'side' })
  })

  it('keeps the first of the chosen in a layout with fewer places', async () => {
    live(undefined, { program: program({ mode: 'manual', chosen_layout: 'grid', chosen_people: ['c', 'a', 'b'] }) })
    await useDirection().setLayout('speaker')
    expect(asked()).toEqual({ mode: 'manual', layout: 'speaker', people: ['c'] })
  })

  it('gives it back, and leaves everything as it was after a refusal', async () => {
    live(undefined, { program: program({ mode: 'manual', chosen_layout: 'grid' }) })
    line.answer = () => Promise.reject(new RequestError('forbidden'))
    await useDirection().setAuto()
    expect(useDirection().manual).toBe(true)
    obey()
    await useDirection().setAuto()
    expect(asked()).toEqual({ mode: 'auto' })
    expect(useDirection().manual).toBe(false)
  })

  it('offers halls first, and nobody who has nothing to show', () => {
    live(undefined, {
      participants: [
        participant('dark'),
        participant('watching', { role: 'observer', publications: [{ id: 'o', kind: 'video', source: 'camera', label: null, codec: null }] }),
        participant('seen', { publications: [{ id: 'v', kind: 'video', source: 'camera', label: null, codec: null }] }),
        participant('gone', { connected: false, publications: [{ id: 'g', kind: 'video', source: 'camera', label: null, codec: null }] }),
        participant('hall', { role: 'venue_operator' }),
      ],
    })
    expect(useDirection().candidates.map((each) => each.id)).toEqual(['hall', 'seen'])
  })
})

describe('program and broadcast in words', () => {
  it('reads times as people write them', () => {
    expect(['01:12:46', '72:46', ' 1：12：46 ', '0:05'].map(readClock)).toEqual([4_366_000, 4_366_000, 4_366_000, 5000])
    expect(['', '12', '1:2:3:4', '1:75', '1:61:00', '-1:00', 'a:b'].map(readClock)).toEqual(Array(7).fill(null))
  })

  it('says how long a stretch is', () => {
    expect([56_000, 120_000, 134_400].map((ms) => spanWords(ms, t))).toEqual(['56 秒', '2 分钟', '2 分 14 秒'])
    expect([42_000, 3_642_000].map(runningText)).toEqual(['00:42', '01:00:42'])
  })

  it('says what is shown, and to whom no name is known nothing', () => {
    const nameOf = (id: string): string | null => ({ a: '林委员' })[id] ?? null
    expect(shownWords(program(), nameOf, words)).toBe('现在：发言人（林委员）')
    expect(shownWords(program({ layout: 'break', people: [] }), nameOf, words)).toBe('现在：休会卡')
    expect(shownWords(program({ people: ['x'] }), nameOf, words)).toBe('现在：发言人')
    expect(shownWords(program({ state: 'starting', layout: null }), nameOf, words)).toBe('正在启动')
  })

  it('says why there is none, and what is left out', () => {
    expect(troubleWords('disk_full', words)).toContain('磁盘')
    expect(troubleWords('worker_ended', words)).toBe('出问题，正在恢复')
    expect(troubleWords(null, words)).toBe('出问题，正在恢复')
    expect(loadWords(0, words)).toBe('')
    expect(new Set([1, 2, 3, 4, 5].map((level) => loadWords(level, words))).size).toBe(5)
    expect(loadWords(9, words)).toBe(loadWords(5, words))
  })
})
