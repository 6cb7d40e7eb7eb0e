import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { SecondPass } from '@/api/second-pass'
import { useNotices } from '@/stores/notices'
import { useRoom } from '@/stores/room'
import { useSecondPass } from '@/stores/second-pass'
import { useSession } from '@/stores/session'
import { useTranscript } from '@/stores/transcript'
import { useTranscriptEditor } from '@/stores/transcript-editor'
import { useTranscriptGaps } from '@/stores/transcript-gaps'
import { settle, snapshot } from './fakes'
import { segment, TranscriptServer } from './transcripts'

const IDLE: SecondPass = { engine: 'faster-whisper', unavailable: '', state: 'none', reason: '', done: 0, total: 0, unheard: 0, proposals: 0 }

/** The doors of the second pass before those of the transcript. */
class SecondServer extends TranscriptServer {
  now: SecondPass = IDLE

  override answer = async (address: string, init: RequestInit): Promise<Response> => {
    const path = new URL(address, 'http://desk').pathname.replace('/api/v1/consultations/c1/transcript', '')
    const body = typeof init.body === 'string' ? (JSON.parse(init.body) as { segments: { id: string; revision: number }[] }) : null
    const say = (status: number, what: unknown): Response => new Response(JSON.stringify(what), { status })
    if (['/second-pass', '/proposals', '/proposals/undo', '/state'].includes(path)) this.asked.push(`${init.method ?? 'GET'} ${path}`)
    await Promise.resolve()
    switch (path) {
      case '/state':
        return say(200, { model: {}, state: 'off', lag_ms: 0, gaps: [], jobs: { waiting: 0, running: 0, done_ms: 0, total_ms: 0 }, second_pass: this.now })
      case '/second-pass':
        if (this.now.unavailable) return say(409, { code: 'second_pass_unavailable', reason: this.now.unavailable })
        this.now = { ...this.now, state: 'running', total: this.rows.length }
        return say(202, this.now)
      case '/proposals':
        return say(200, this.each(body?.segments ?? [], (each) => ({ text: each.proposal ?? '', proposal: null, is_edited: true })))
      case '/proposals/undo':
        return say(200, this.each(body?.segments ?? [], (each) => ({ text: '原来的', proposal: each.text, is_edited: false })))
    }
    return this.base(address, init)
  }

  private base = new TranscriptServer().answer

  serve(): void {
    const inner = new TranscriptServer()
    inner.rows = this.rows
    this.base = inner.answer
  }

  private each(seen: readonly { id: string; revision: number }[], act: (each: ReturnType<typeof segment>) => object): object {
    const items = seen.filter((each) => this.one(each.id).revision === each.revision).map((each) => this.change(each.id, act(this.one(each.id))))
    return { items, conflicts: seen.filter((each) => !items.some((item) => item.id === each.id)).map((each) => each.id) }
  }
}

let server: SecondServer

beforeEach(() => {
  vi.useFakeTimers()
  window.history.replaceState(null, '', '/desk/c1/minutes')
  setActivePinia(createPinia())
  useSession().token = 'good'
  const state = snapshot()
  useRoom().take({ ...state, self: { ...state.self, can: ['transcript.read', 'transcript.edit'] } })
  server = new SecondServer()
  server.rows = [segment('seg_1', { proposal: '助餐点可以用现金和卡。' }), segment('seg_2', { start_ms: 5000 }), segment('seg_3', { start_ms: 9000, proposal: '谢谢大家。' })]
  server.serve()
  vi.stubGlobal('fetch', server.answer)
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

async function answered(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await settle()
}

async function opened(): Promise<ReturnType<typeof useSecondPass>> {
  await useTranscript().load()
  const second = useSecondPass()
  await useTranscriptGaps().load()
  await answered()
  return second
}

describe('the second pass', () => {
  it('is looked at with the gaps, begun by a press, and then told by events', async () => {
    const second = await opened()
    expect([second.told?.state, second.working]).toEqual(['none', false])
    await second.start()
    expect(server.asked.filter((each) => each.startsWith('POST'))).toEqual(['POST /second-pass'])
    expect([second.told?.state, second.working, second.part]).toEqual(['running', true, 0])
    second.apply({ ...server.now, done: 2, total: 4 })
    expect(second.part).toBe(0.5)
    second.apply({ ...server.now, state: 'done', done: 4, total: 4, proposals: 2 })
    expect(second.working).toBe(false)
  })

  it('says why it cannot be had', async () => {
    server.now = { ...IDLE, unavailable: 'no_model' }
    const second = await opened()
    await second.start()
    expect(second.told?.unavailable).toBe('no_model')
    expect(useNotices().toasts.map((each) => each.text)).toEqual(['本机没有可用的录音复核模型，请管理员安装并设置后再试'])
  })

  it('leads from one proposal to the next and from the last one to the first', async () => {
    const second = await opened()
    expect(second.pending.map((each) => each.id)).toEqual(['seg_1', 'seg_3'])
    expect([second.next(null), second.next('seg_1'), second.next('seg_2'), second.next('seg_3')]).toEqual(['seg_1', 'seg_3', 'seg_3', 'seg_1'])
  })

  it('takes all of them at once, leaves what somebody changed meanwhile, and takes that back', async () => {
    const second = await opened()
    server.change('seg_3', { text: '别人改过', proposal: '谢谢大家。' })
    await second.takeAll()
    const transcript = useTranscript()
    expect(transcript.byId('seg_1')).toMatchObject({ text: '助餐点可以用现金和卡。', proposal: null })
    expect(transcript.byId('seg_3')?.proposal).toBe('谢谢大家。')
    const [toast] = useNotices().toasts
    expect(toast?.text).toBe('已采用 1 段建议文字，另有 1 段刚刚有人改过，没有动')
    toast?.action?.run()
    await answered()
    expect(transcript.byId('seg_1')).toMatchObject({ text: '原来的', proposal: '助餐点可以用现金和卡。' })
    expect(second.taken).toEqual([])
    expect(useNotices().toasts.some((each) => each.action), 'nothing offers it a second time').toBe(false)
    expect(server.asked.filter((each) => each.includes('proposals'))).toEqual(['POST /proposals', 'POST /proposals/undo'])
  })

  it('does not take anything over a text that cannot be saved', async () => {
    const second = await opened()
    const editor = useTranscriptEditor()
    await editor.choose('seg_2', { edit: true, at: 0 })
    editor.draft = '我正在写'
    vi.stubGlobal('fetch', (address: string, init: RequestInit) => (init.method === 'PATCH' ? Promise.reject(new TypeError('no line')) : server.answer(address, init)))
    await second.takeAll()
    expect(server.asked.some((each) => each.includes('proposals'))).toBe(false)
    expect(editor.draft).toBe('我正在写')
  })
})
