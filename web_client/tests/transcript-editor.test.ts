import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { RequestName, Requests } from '@/api/messages'
import { useLine, type Requester } from '@/stores/line'
import { useNotices } from '@/stores/notices'
import { useRoom } from '@/stores/room'
import { useSession } from '@/stores/session'
import { useTranscript } from '@/stores/transcript'
import { useTranscriptEditor } from '@/stores/transcript-editor'
import { useTranscriptFind } from '@/stores/transcript-find'
import { useTranscriptPresence } from '@/stores/transcript-presence'
import { useTranscriptTerms } from '@/stores/transcript-terms'
import { settle, snapshot } from './fakes'
import { segment, TranscriptServer } from './transcripts'

let server: TranscriptServer

beforeEach(() => {
  vi.useFakeTimers()
  window.history.replaceState(null, '', '/desk/c1/minutes')
  setActivePinia(createPinia())
  useSession().token = 'good'
  const state = snapshot()
  useRoom().take({ ...state, self: { ...state.self, can: ['transcript.read', 'transcript.edit', 'transcript.confidential'] } })
  server = new TranscriptServer()
  server.rows = [segment('seg_1'), segment('seg_2', { text: '由村助餐员送餐上门。', start_ms: 5000, end_ms: 8000 }), segment('seg_3', { text: '谢谢。', participant_id: 'p2', start_ms: 9000, end_ms: 9900 })]
  vi.stubGlobal('fetch', server.answer)
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** As long as answers go back and forth. */
async function answered(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await settle()
}

async function opened(id = 'seg_1'): Promise<ReturnType<typeof useTranscriptEditor>> {
  await useTranscript().load()
  const editor = useTranscriptEditor()
  await editor.choose(id, { edit: true, at: 0 })
  return editor
}

/** What the desk would be told of a change by somebody else. */
function told(id: string, by = '王秘书'): void {
  useTranscript().apply({ segments: [server.one(id)], removed: [], by })
}

describe('the transcript', () => {
  it('is read at once, and each change takes the place of an older one', async () => {
    const transcript = useTranscript()
    await transcript.load()
    expect(server.asked).toEqual(['GET /transcript?brief=1&limit=5000'])
    expect(transcript.segments.map((each) => each.id)).toEqual(['seg_1', 'seg_2', 'seg_3'])
    const newer = server.change('seg_2', { text: '改过' })
    told('seg_2')
    expect(transcript.byId('seg_2')?.text).toBe('改过')
    transcript.put([{ ...newer, revision: 1, text: '旧的' }])
    expect(transcript.byId('seg_2')?.text).toBe('改过')
    transcript.apply({ segments: [segment('seg_4', { start_ms: 4500 })], removed: ['seg_3'], by: '' })
    expect(transcript.segments.map((each) => each.id)).toEqual(['seg_1', 'seg_4', 'seg_2'])
  })

  it('loses nothing that is told while the list is on its way', async () => {
    const transcript = useTranscript()
    await transcript.load()
    server.holds = true
    const loading = transcript.load()
    await answered()
    server.change('seg_1', { text: '更新的' })
    told('seg_1')
    server.holds = false
    server.held?.()
    await loading
    expect(transcript.byId('seg_1')?.text).toBe('更新的')
  })

  it('is read again when the line is back, as events were missed', async () => {
    const transcript = useTranscript()
    await transcript.load()
    const line = useLine()
    server.change('seg_1', { text: '断线时改的' })
    line.up = true
    await answered()
    expect(transcript.byId('seg_1')?.text).toBe('断线时改的')
  })

  it('keeps words apart, of the revision that is shown', async () => {
    const transcript = useTranscript()
    await transcript.load()
    expect(transcript.segments[0]?.words).toBeUndefined()
    expect(transcript.inFull('seg_1')).toBeNull()
    await answered()
    expect(transcript.inFull('seg_1')?.words).toHaveLength(2)
    server.change('seg_1', { text: '又改' })
    transcript.apply({ segments: [{ ...server.one('seg_1'), raw: null, words: null }], removed: [], by: '' })
    expect(transcript.inFull('seg_1')).toBeNull()
    await answered()
    expect(transcript.inFull('seg_1')?.text).toBe('又改')
  })

  it('stays to be read while it cannot be fetched', async () => {
    const transcript = useTranscript()
    await transcript.load()
    server.down = true
    await transcript.load()
    expect(transcript.failed).toBe(true)
    expect(transcript.segments).toHaveLength(3)
  })
})

describe('one who edits', () => {
  it('saves on going to the next one, and nothing where nothing was changed', async () => {
    const editor = await opened()
    expect(await editor.step(1)).toBe('seg_2')
    expect(server.asked.filter((each) => each.startsWith('PATCH'))).toEqual([])
    editor.draft = '由村里的助餐员  送餐上门。 '
    expect(await editor.step(1)).toBe('seg_3')
    expect(server.one('seg_2').text).toBe('由村里的助餐员 送餐上门。')
    expect(editor.editing).toBe(true)
    expect(editor.draft).toBe('谢谢。')
  })

  it('keeps what is typed while it is being saved', async () => {
    const editor = await opened()
    editor.draft = '一'
    server.holds = true
    const saving = editor.save()
    await answered()
    editor.draft = '一二'
    server.holds = false
    server.held?.()
    expect(await saving).toBe(true)
    expect(editor.draft).toBe('一二')
    expect(editor.dirty).toBe(true)
    expect(await editor.leave()).toBe(true)
    expect(server.one('seg_1')).toMatchObject({ text: '一二', revision: 3 })
  })

  it('keeps the draft while the server cannot be reached', async () => {
    const editor = await opened()
    editor.draft = '没有网络时写的'
    server.down = true
    expect(await editor.leave()).toBe(false)
    expect([editor.unsent, editor.editing, editor.draft]).toEqual([true, true, '没有网络时写的'])
    server.down = false
    expect(await editor.leave()).toBe(true)
    expect(server.one('seg_1').text).toBe('没有网络时写的')
  })

  it('never leaves a segment empty', async () => {
    const editor = await opened()
    editor.draft = '  '
    expect(editor.empty).toBe(true)
    expect(await editor.leave()).toBe(true)
    expect(server.one('seg_1').text).toBe('助餐点可以用现金。')
  })

  it('throws a draft away when asked to', async () => {
    const editor = await opened()
    editor.draft = '不要了'
    editor.cancel()
    expect([editor.editing, editor.dirty, server.one('seg_1').revision]).toEqual([false, false, 1])
  })

  it('sees what others write in a field that was not touched yet', async () => {
    const editor = await opened()
    server.change('seg_1', { text: '别人先改好了。' })
    told('seg_1')
    expect([editor.draft, editor.conflict, editor.dirty]).toEqual(['别人先改好了。', null, false])
  })
})

describe('two who edit the same segment', () => {
  it('show the later one both texts, and overwrite nothing', async () => {
    const editor = await opened()
    editor.draft = '我的文字'
    server.change('seg_1', { text: '对方的文字' })
    expect(await editor.leave()).toBe(false)
    expect(editor.conflict?.theirs.text).toBe('对方的文字')
    expect(editor.draft).toBe('我的文字')
    expect(server.one('seg_1').text).toBe('对方的文字')
    expect(await editor.step(1), 'it has to be settled first').toBeNull()
    expect(editor.currentId).toBe('seg_1')
  })

  it('say so as soon as it is known, with a name', async () => {
    const editor = await opened()
    editor.draft = '我的文字'
    server.change('seg_1', { text: '对方的文字' })
    told('seg_1')
    expect(editor.conflict).toMatchObject({ by: '王秘书', theirs: { text: '对方的文字' } })
    expect(server.asked.filter((each) => each.startsWith('PATCH'))).toEqual([])
  })

  it('let one take theirs', async () => {
    const editor = await opened()
    editor.draft = '我的文字'
    server.change('seg_1', { text: '对方的文字' })
    told('seg_1')
    editor.takeTheirs()
    expect([editor.conflict, editor.draft, editor.dirty]).toEqual([null, '对方的文字', false])
    expect(await editor.leave()).toBe(true)
    expect(server.one('seg_1').revision).toBe(2)
  })

  it('or put one’s own on top, as a revision after theirs', async () => {
    const editor = await opened()
    editor.draft = '我的文字'
    server.change('seg_1', { text: '对方的文字' })
    await editor.leave()
    expect(await editor.keepMine()).toBe(true)
    expect(server.one('seg_1')).toMatchObject({ text: '我的文字', revision: 3 })
  })

  it('are no conflict where only the speaker or a mark was changed', async () => {
    const editor = await opened()
    editor.draft = '我的文字'
    server.change('seg_1', { is_unclear: true })
    told('seg_1')
    expect(editor.conflict).toBeNull()
    expect(await editor.leave()).toBe(true)
    expect(server.one('seg_1')).toMatchObject({ text: '我的文字', is_unclear: true })
  })

  it('are none where both wrote the same', async () => {
    const editor = await opened()
    editor.draft = '一样'
    server.change('seg_1', { text: '一样' })
    told('seg_1')
    expect([editor.conflict, editor.dirty]).toEqual([null, false])
  })

  it('do not take one’s own change for that of others', async () => {
    const editor = await opened()
    editor.draft = '我的文字'
    server.holds = true
    const saving = editor.save()
    await answered()
    // The event may be here before the answer.
    told('seg_1', '刘秘书')
    editor.draft = '我的文字还在写'
    server.holds = false
    server.held?.()
    expect(await saving).toBe(true)
    expect([editor.conflict, editor.draft]).toEqual([null, '我的文字还在写'])
  })

  it('give back what was written in a segment that is gone', async () => {
    const editor = await opened('seg_2')
    editor.draft = '还没有保存的'
    useTranscript().apply({ segments: [], removed: ['seg_2'], by: '王秘书' })
    expect([editor.editing, editor.currentId]).toEqual([false, null])
    expect(useNotices().toasts.at(-1)?.detail).toBe('还没有保存的')
  })
})

describe('splitting, joining, speakers, marks', () => {
  it('saves first, splits at the caret and goes on in the second', async () => {
    const editor = await opened()
    editor.draft = '助餐点可用现金。'
    expect(await editor.split(3)).toBe(true)
    expect(useTranscript().segments.map((each) => each.text)).toEqual(['助餐点', '可用现金。', '由村助餐员送餐上门。', '谢谢。'])
    expect([editor.currentId, editor.draft, editor.caret.at]).toEqual(['seg_1b', '可用现金。', 0])
  })

  it('does not split where nothing would be left', async () => {
    const editor = await opened()
    expect(await editor.split(0)).toBe(false)
    expect(server.rows).toHaveLength(3)
  })

  it('joins with the one above of the same speaker; the caret stands between', async () => {
    const editor = await opened('seg_2')
    expect(await editor.joinAbove()).toBe(true)
    expect(useTranscript().segments.map((each) => each.id)).toEqual(['seg_1', 'seg_3'])
    expect([editor.currentId, editor.draft, editor.caret.at]).toEqual(['seg_1', '助餐点可以用现金。由村助餐员送餐上门。', 9])
    await editor.choose('seg_3')
    expect(await editor.joinAbove()).toBe(false)
  })

  it('changes speaker and marks beside a draft', async () => {
    const editor = await opened()
    editor.draft = '写到一半'
    await editor.setSpeaker('seg_1', { name: '钱局长', role: 'department' })
    expect(server.one('seg_1')).toMatchObject({ text: '写到一半', revision: 3 })
    expect(server.one('seg_1').speaker.name).toBe('钱局长')
    await editor.setUnclear('seg_1', true)
    await editor.setConfidential('seg_1', true)
    expect(server.one('seg_1')).toMatchObject({ is_unclear: true, is_confidential: true })
    expect(editor.editing).toBe(true)
  })

  it('takes back the last step, but not over what others did since', async () => {
    const editor = await opened()
    await editor.setUnclear('seg_1', true)
    editor.draft = '第二步'
    await editor.leave()
    await editor.undo()
    expect(server.asked.at(-1)).toBe('POST /transcript/seg_1/restore')
    expect(server.one('seg_1').text).toBe('第 2 稿')
    server.change('seg_1', { text: '别人的' })
    told('seg_1')
    await editor.undo()
    expect(server.one('seg_1').text).toBe('别人的')
  })
})

describe('find and replace', () => {
  it('leaves what somebody changed in between', async () => {
    await useTranscript().load()
    const find = useTranscriptFind()
    find.words = '助餐'
    find.instead = '用餐'
    find.found = [
      { id: 'seg_2', at: [2] },
      { id: 'seg_1', at: [0] },
    ]
    expect(find.hits).toEqual([
      { id: 'seg_1', at: 0 },
      { id: 'seg_2', at: 2 },
    ])
    expect(find.step(-1)).toEqual({ id: 'seg_2', at: 2 })
    expect(find.step(1)).toEqual({ id: 'seg_1', at: 0 })
    server.change('seg_2', { text: '助餐员别人改过' })
    expect(await find.replace()).toBe(true)
    expect(useTranscript().byId('seg_1')?.text).toBe('用餐点可以用现金。')
    expect([find.replaced, find.conflicts]).toEqual([1, 1])
    expect(server.one('seg_2').text).toBe('助餐员别人改过')
  })

  it('asks when typing has stopped', async () => {
    await useTranscript().load()
    const find = useTranscriptFind()
    find.type('助')
    find.type('助餐')
    vi.advanceTimersByTime(300)
    await answered()
    expect(server.asked.filter((each) => each.includes('/find'))).toEqual([`GET /transcript/find?q=${encodeURIComponent('助餐')}`])
  })
})

describe('the list of terms', () => {
  it('is changed as it is now, not as it was read', async () => {
    const terms = useTranscriptTerms()
    await terms.load()
    server.terms = [{ wrong: '青河', right: '青禾' }]
    expect(await terms.put({ wrong: '何春声', right: '何春生' })).toBe(true)
    expect(server.terms).toEqual([
      { wrong: '青河', right: '青禾' },
      { wrong: '何春声', right: '何春生' },
    ])
    await terms.put({ wrong: '青河', right: '青禾县' })
    expect(server.terms.filter((each) => each.wrong === '青河')).toEqual([{ wrong: '青河', right: '青禾县' }])
    await terms.remove({ wrong: '青河', right: '青禾县' })
    expect(server.terms).toHaveLength(1)
  })

  it('does not lose what somebody else saves at the same moment', async () => {
    const terms = useTranscriptTerms()
    server.afterTerms = () => {
      server.afterTerms = null
      server.terms = [{ wrong: '青河', right: '青禾' }]
      server.termsRevision += 1
    }
    expect(await terms.put({ wrong: '何春声', right: '何春生' })).toBe(true)
    expect(server.terms.map((each) => each.right)).toEqual(['青禾', '何春生'])
    server.afterTerms = () => (server.termsRevision += 1)
    expect(await terms.put({ wrong: '张威', right: '张巍' })).toBe(false)
    expect(server.terms).toHaveLength(2)
  })
})

describe('who else is there', () => {
  it('is shown until they leave or are silent', () => {
    const presence = useTranscriptPresence()
    presence.apply({ segment_id: 'seg_1', at: 2, name: '王秘书', session: 's1' })
    expect(presence.names).toEqual(['王秘书'])
    expect(presence.bySegment.get('seg_1')?.[0]?.at).toBe(2)
    presence.apply({ segment_id: null, at: null, name: '王秘书', session: 's1' })
    expect(presence.names).toEqual([])
    presence.apply({ segment_id: 'seg_1', at: 2, name: '李秘书', session: 's2' })
    vi.advanceTimersByTime(32_000)
    expect(presence.names).toEqual([])
  })

  it('is told where one is oneself, not at every key, and again while one stays', () => {
    const sent: (number | null)[] = []
    const requester: Requester = {
      request<Name extends RequestName>(_name: Name, payload: Requests[Name][0]): Promise<Requests[Name][1]> {
        sent.push((payload as { at: number | null }).at)
        return Promise.resolve({} as Requests[Name][1])
      },
    }
    const line = useLine()
    line.use(requester)
    line.up = true
    const presence = useTranscriptPresence()
    for (const at of [1, 2, 3]) presence.tell('seg_1', at)
    expect(sent).toEqual([1])
    vi.advanceTimersByTime(800)
    expect(sent).toEqual([1, 3])
    vi.advanceTimersByTime(9000)
    expect(sent.length).toBeGreaterThan(2)
    presence.tell(null)
    expect(sent.at(-1)).toBeNull()
    const count = sent.length
    vi.advanceTimersByTime(20_000)
    expect(sent).toHaveLength(count)
  })
})
