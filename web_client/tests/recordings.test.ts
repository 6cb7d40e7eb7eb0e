import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Export } from '@/api/exports'
import type { Recording } from '@/api/recordings'
import { i18n } from '@/i18n'
import { exportName, fileName, shortHash, sizeWords, sourceWords, whatWords } from '@/pages/desk/record/recording-words'
import { useExports } from '@/stores/exports'
import { PIECE_BYTES, useFetching } from '@/stores/fetching'
import { useNotices } from '@/stores/notices'
import { useRecordings } from '@/stores/recordings'
import { useSession } from '@/stores/session'

const { t, te } = i18n.global
const words = { t, te: (key: string) => te(key, 'zh-CN') }

function recording(id: string, more: Partial<Recording> = {}): Recording {
  return {
    id,
    participant_id: 'p1',
    name: '林委员',
    source: 'camera',
    label: '',
    codec: 'vp8',
    started_at_ms: 0,
    duration_ms: 60_000,
    size_bytes: 1000,
    sha256: 'a'.repeat(64),
    state: 'done',
    created_at_ms: 0,
    ...more,
  }
}

/** The outside world: a server with files and what is made of them, and a line that can break. */
class FakeServer {
  rows: Recording[] = []
  made: Export[] = []
  bytes = new Uint8Array()
  down = false
  /** the line breaks before the n-th piece is answered */
  breaksAt = -1
  pieces = 0
  readonly asked: string[] = []

  answer = (address: string, init: RequestInit): Promise<Response> => {
    const method = init.method ?? 'GET'
    const url = new URL(address, 'http://desk')
    const path = url.pathname.replace('/api/v1/consultations/c1', '')
    const range = (init.headers as Record<string, string>).Range
    this.asked.push(`${method} ${path}${url.search}${range ? ` ${range}` : ''}`)
    if (this.down) return Promise.reject(new TypeError('no line'))
    if (range) return this.piece(range)
    if (method === 'DELETE') {
      this.rows = this.rows.filter((each) => !path.endsWith(each.id))
      return Promise.resolve(new Response(null, { status: 204 }))
    }
    if (path === '/exports') return this.say(method === 'POST' ? 202 : 200, method === 'POST' ? this.made[0] : { items: this.made, next: null })
    const limit = Number(url.searchParams.get('limit'))
    const from = this.rows.findIndex((each) => each.id === url.searchParams.get('after')) + 1
    const items = this.rows.slice(from, from + limit)
    return this.say(200, { items, next: from + limit < this.rows.length ? (items.at(-1)?.id ?? null) : null })
  }

  private piece(range: string): Promise<Response> {
    this.pieces += 1
    if (this.pieces === this.breaksAt) return Promise.reject(new TypeError('no line'))
    const [from, to] = range.replace('bytes=', '').split('-').map(Number)
    return Promise.resolve(new Response(this.bytes.slice(from, (to ?? 0) + 1), { status: 206 }))
  }

  private say(status: number, body: unknown): Promise<Response> {
    return Promise.resolve(new Response(JSON.stringify(body), { status }))
  }
}

let server: FakeServer
const saved: { name: string; blob: Blob }[] = []

beforeEach(() => {
  vi.useFakeTimers()
  window.history.replaceState(null, '', '/desk/c1/record')
  setActivePinia(createPinia())
  useSession().token = 'good'
  server = new FakeServer()
  saved.length = 0
  vi.stubGlobal('fetch', server.answer)
  vi.spyOn(URL, 'createObjectURL').mockImplementation((blob) => {
    saved.push({ name: '', blob: blob as Blob })
    return 'blob:saved'
  })
  vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (this: HTMLAnchorElement) {
    const last = saved.at(-1)
    if (last) last.name = this.download
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

describe('the list of recordings', () => {
  it('comes page by page, and as far as it is shown again', async () => {
    server.rows = Array.from({ length: 250 }, (_, n) => recording(`r${n}`))
    const recordings = useRecordings()
    await recordings.load()
    expect(recordings.files).toHaveLength(100)
    await recordings.more()
    expect(recordings.files.map((each) => each.id)).toEqual(server.rows.slice(0, 200).map((each) => each.id))
    server.rows[150] = recording('r150', { size_bytes: 7 })
    await recordings.load()
    expect(recordings.files).toHaveLength(200)
    expect(recordings.files[150]?.size_bytes).toBe(7)
    await recordings.more()
    expect(recordings.files).toHaveLength(250)
    expect(recordings.next).toBeNull()
  })

  it('stays to be read while it cannot be fetched anew', async () => {
    server.rows = [recording('one')]
    const recordings = useRecordings()
    await recordings.load()
    server.down = true
    await recordings.load()
    expect(recordings.failed).toBe(true)
    expect(recordings.files.map((each) => each.id)).toEqual(['one'])
    server.down = false
    await recordings.load()
    expect(recordings.failed).toBe(false)
  })

  it('loses what was deleted, and keeps it where that was refused', async () => {
    server.rows = [recording('one'), recording('two')]
    const recordings = useRecordings()
    await recordings.load()
    expect(await recordings.remove(recording('one'))).toBe(true)
    expect(recordings.files.map((each) => each.id)).toEqual(['two'])
    server.down = true
    expect(await recordings.remove(recording('two'))).toBe(false)
    expect(recordings.files.map((each) => each.id)).toEqual(['two'])
  })
})

describe('taking a file', () => {
  const size = PIECE_BYTES * 2 + 5
  beforeEach(() => {
    server.bytes = new Uint8Array(size)
    server.bytes.set([1, 2, 3], PIECE_BYTES - 1)
    server.bytes[size - 1] = 9
  })

  it('puts its pieces together', async () => {
    await useRecordings().take(recording('one', { size_bytes: size }), '林委员-画面.webm')
    expect(server.asked).toEqual([0, 1, 2].map((n) => `GET /recordings/one/file bytes=${n * PIECE_BYTES}-${Math.min(size, (n + 1) * PIECE_BYTES) - 1}`))
    expect(saved).toHaveLength(1)
    expect(saved[0]?.name).toBe('林委员-画面.webm')
    expect(saved[0]?.blob.size).toBe(size)
    const bytes = new Uint8Array((await saved[0]?.blob.arrayBuffer()) ?? new ArrayBuffer(0))
    expect([...bytes.slice(PIECE_BYTES - 1, PIECE_BYTES + 2), bytes[size - 1]]).toEqual([1, 2, 3, 9])
  })

  it('goes on with the piece at which the line broke', async () => {
    server.breaksAt = 2
    const fetching = useFetching()
    const done = useRecordings().take(recording('one', { size_bytes: size }), 'a.webm')
    await vi.waitUntil(() => fetching.files.get('one')?.waiting)
    expect(saved).toEqual([])
    await vi.advanceTimersByTimeAsync(3000)
    await done
    expect(server.pieces).toBe(4)
    expect(saved[0]?.blob.size).toBe(size)
    expect(fetching.files.size).toBe(0)
    expect(useNotices().toasts).toEqual([])
  })

  it('is given up on request, without a word', async () => {
    server.down = true
    const fetching = useFetching()
    const done = useRecordings().take(recording('one', { size_bytes: size }), 'a.webm')
    await vi.waitUntil(() => fetching.files.get('one')?.waiting)
    fetching.cancel('one')
    await done
    expect(saved).toEqual([])
    expect(fetching.files.size).toBe(0)
    expect(useNotices().toasts).toEqual([])
  })

  it('says so when another stretch comes than was asked for', async () => {
    server.bytes = new Uint8Array(10)
    await useRecordings().take(recording('one', { size_bytes: size }), 'a.webm')
    expect(saved).toEqual([])
    expect(useNotices().toasts).toHaveLength(1)
  })
})

describe('files made of the recordings', () => {
  const made = (more: Partial<Export>): Export => ({
    id: 'x1',
    kind: 'program',
    subject: null,
    title: '推进养老服务',
    media_type: 'video/mp4',
    state: 'running',
    progress: 40,
    reason: null,
    from_ms: 0,
    duration_ms: 0,
    size_bytes: 0,
    sha256: null,
    requested_by: '',
    requested_at_ms: 0,
    finished_at_ms: null,
    ...more,
  })

  it('are followed closely until they are done, and not at all after the place was left', async () => {
    server.made = [made({})]
    const exports_ = useExports()
    exports_.start()
    await vi.waitUntil(() => exports_.loaded)
    expect(exports_.items[0]?.progress).toBe(40)
    server.made = [made({ progress: 80 })]
    await vi.advanceTimersByTimeAsync(2000)
    expect(exports_.items[0]?.progress).toBe(80)
    server.made = [made({ state: 'done', progress: 100 })]
    await vi.advanceTimersByTimeAsync(2000)
    expect(exports_.items[0]?.state).toBe('done')
    const asked = server.asked.length
    await vi.advanceTimersByTimeAsync(20_000)
    expect(server.asked).toHaveLength(asked + 2)
    server.made = [made({})]
    await exports_.make({ kind: 'program' })
    exports_.stop()
    const before = server.asked.length
    await vi.advanceTimersByTimeAsync(20_000)
    expect(server.asked).toHaveLength(before)
  })
})

describe('a recorded file in words', () => {
  it('says what it holds, also where there is no word yet', () => {
    expect(['microphone', 'camera', 'screen', 'program', 'lidar'].map((source) => sourceWords(source, words))).toEqual(['声音', '画面', '屏幕', '节目', 'lidar'])
  })

  it('says which of several cameras it is', () => {
    expect(whatWords(recording('one', { label: '主席台' }), words)).toBe('画面（主席台）')
    expect(whatWords(recording('one'), words)).toBe('画面')
    expect(fileName(recording('one', { label: '主席台/左' }), words)).toBe('林委员-画面-主席台_左-00.00.00.webm')
  })

  it('says how large it is in the largest unit that leaves a number', () => {
    expect([10, 81_400, 12_340_000, 1_234_000_000].map((bytes) => sizeWords(bytes, 'zh-CN', t))).toEqual(['1 KB', '81 KB', '12.3 MB', '1.23 GB'])
  })

  it('has a name that any disk takes', () => {
    expect(fileName(recording('one', { name: '林/委员:', started_at_ms: 725_000 }), words)).toBe('林_委员_-画面-00.12.05.webm')
    expect(fileName(recording('one', { source: 'program', codec: 'h264', name: '题' }), words)).toBe('节目-00.00.00.mp4')
    expect(exportName({ kind: 'person', media_type: 'audio/mp4', title: '林委员', id: 'x' } as Export, t)).toBe('林委员-个人录音.m4a')
    expect(shortHash('0123456789abcdef'.repeat(4))).toBe('01234567…89abcdef')
  })
})
