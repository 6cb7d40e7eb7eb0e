import { effectScope, nextTick, ref, type EffectScope } from 'vue'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { PublicCaption } from '@/api/public'
import { currentAt, cut, gathered, headings, hits, marked, rows, under } from '@/pages/public/spoken-text'
import { useLiveCaptions } from '@/pages/public/use-live-captions'
import { PIECE_MS, piecesFrom, useSpoken, type SpokenTime } from '@/pages/public/use-spoken'

function scoped<T>(act: () => T): { scope: EffectScope; made: T } {
  const scope = effectScope()
  return { scope, made: scope.run(act) as T }
}

const said = (start_ms: number, text: string, speaker = '林委员', end_ms = start_ms + 3000): PublicCaption => ({ speaker, text, start_ms, end_ms })

describe('the words under the picture', () => {
  it('wait for the picture, and go after a while', () => {
    const captions = [said(10_000, '一'), said(20_000, '二')]
    expect(under(captions, 9000)).toEqual([])
    expect(under(captions, 10_000).map((each) => each.text)).toEqual(['一'])
    expect(under(captions, 24_000).map((each) => each.text)).toEqual(['二'])
    expect(under(captions, 60_000)).toEqual([])
  })

  it('are of both when two speak at once', () => {
    const captions = [said(10_000, '甲说', '甲', 16_000), said(12_000, '乙说', '乙', 15_000)]
    expect(under(captions, 13_000).map((each) => each.text)).toEqual(['甲说', '乙说'])
  })

  it('are gathered as they come, each once, with the newer word', () => {
    const first = gathered([], [said(1, '一'), said(2, '二')], 3)
    const next = gathered(first, [said(2, '二二'), said(3, '三'), said(4, '四')], 3)
    expect(next.map((each) => each.text)).toEqual(['二二', '三', '四'])
  })

  it('come with the page and are held until the player is there', async () => {
    const told = ref<PublicCaption[] | null>([said(10_000, '还没到')])
    const now = ref<number | null>(5000)
    const { scope, made: lines } = scoped(() => useLiveCaptions(() => told.value, () => now.value))
    expect(lines.value).toEqual([])
    told.value = [said(20_000, '更晚')]
    await nextTick()
    now.value = 10_000
    expect(lines.value.map((each) => each.text)).toEqual(['还没到'])
    told.value = null
    await nextTick()
    expect(lines.value).toEqual([])
    told.value = [said(90_000, '没有钟的播放器')]
    now.value = null
    expect(lines.value.map((each) => each.text)).toEqual(['没有钟的播放器'])
    scope.stop()
  })
})

describe('the text', () => {
  const captions = [said(1000, '助餐点，一'), said(5000, '二'), said(9000, '助餐，再助餐', '陈委员')]

  it('knows which sentence is said', () => {
    expect([null, 0, 1000, 4999, 5000, 99_000].map((at) => currentAt(captions, at))).toEqual([-1, -1, 0, 1, 1, 2])
    expect(currentAt([], 5)).toBe(-1)
  })

  it('has headings where items and what the public said began, and names a speaker once', () => {
    const chapter = (kind: 'item' | 'speech' | 'promotion', title: string, from_ms: number) => ({ kind, title, from_ms, to_ms: from_ms + 1 })
    const heads = headings({ agenda: [], replay: { url: '', renditions: [], duration_ms: 1, spans: [], chapters: [chapter('item', '通报', 0), chapter('speech', '林委员', 900), chapter('promotion', '助餐点能付现金吗', 4000)] } })
    expect(rows(captions, heads).map((row) => (row.kind === 'head' ? row.heading.title : `${row.named ? (row.caption.speaker ?? '') : ''}：${row.caption.text}`))).toEqual([
      '通报',
      '林委员：助餐点，一',
      '助餐点能付现金吗',
      '林委员：二',
      '陈委员：助餐，再助餐',
    ])
    const item = { id: 'a', title: '讨论', kind: 'discussion', state: 'current' as const, planned_minutes: null, planned_start_wall_ms: null, speaker: null, started_at_ms: 20_000, ended_at_ms: null }
    const live = headings({ agenda: [{ ...item, id: 'b', title: '后面', started_at_ms: null }, item, { ...item, id: 'c', title: '留言', kind: 'promotion', started_at_ms: 10_000 }], replay: null })
    expect(live.map((each) => `${each.kind} ${each.title}`)).toEqual(['promotion 留言', 'item 讨论'])
    expect(rows([], live)).toHaveLength(2)
  })

  it('finds every place of a word of two characters, and marks it', () => {
    const found = hits(captions, ' 助餐 ')
    expect(found).toEqual([{ at: 0, from: 0 }, { at: 2, from: 0 }, { at: 2, from: 4 }])
    expect([hits(captions, ''), hits(captions, '没有')]).toEqual([[], []])
    const marks = marked(found)
    expect(marks.get(2)).toEqual({ froms: [0, 4], first: 1 })
    expect(cut('助餐，再助餐', [0, 4], 2, 1)).toEqual([{ text: '助餐', hit: 1 }, { text: '，再', hit: null }, { text: '助餐', hit: 2 }])
    expect(cut('二', [], 0, 0)).toEqual([{ text: '二', hit: null }])
    expect(hits([said(0, 'GB 9704')], 'gb')).toHaveLength(1)
  })
})

describe('reading what was said', () => {
  let asked: string[] = []
  let down = false
  let words: (fromMs: number) => PublicCaption[] = (fromMs) => [said(fromMs, `${fromMs / PIECE_MS}`), said(fromMs + PIECE_MS, '下一段')]
  beforeEach(() => {
    vi.useFakeTimers()
    asked = []
    down = false
    vi.stubGlobal('fetch', (address: string) => {
      const fromMs = Number(/from_ms=(\d+)/.exec(address)?.[1])
      asked.push(String(fromMs / PIECE_MS))
      return down ? Promise.reject(new TypeError('no line')) : Promise.resolve(new Response(JSON.stringify({ items: words(fromMs) }), { status: 200 }))
    })
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  it('begins where one watches', () => {
    expect(piecesFrom(0, 3 * PIECE_MS)).toEqual([0, 1, 2])
    expect(piecesFrom(2.5 * PIECE_MS, 4 * PIECE_MS)).toEqual([2, 3, 1, 0])
    expect(piecesFrom(9 * PIECE_MS, PIECE_MS)).toEqual([0])
    expect(piecesFrom(0, 0)).toEqual([0])
  })

  it('reads every piece once, and a sentence once, in the order of time', async () => {
    const { scope, made: spoken } = scoped(() => useSpoken('c', () => ({ endMs: 3 * PIECE_MS, atMs: PIECE_MS, live: false })))
    await vi.advanceTimersByTimeAsync(50)
    expect(asked).toEqual(['1', '2', '0', '2'])
    expect(spoken.captions.value.map((each) => each.text)).toEqual(['0', '1', '2'])
    expect(spoken.whole.value).toBe(true)
    scope.stop()
    await vi.advanceTimersByTimeAsync(100_000)
    expect(asked).toHaveLength(4)
  })

  it('tries again after the network was away', async () => {
    down = true
    const { scope, made: spoken } = scoped(() => useSpoken('c', () => ({ endMs: 1000, atMs: 0, live: false })))
    await vi.advanceTimersByTimeAsync(1)
    expect([spoken.failed.value, spoken.whole.value]).toEqual([true, false])
    down = false
    await vi.advanceTimersByTimeAsync(4000)
    expect([spoken.failed.value, spoken.captions.value.length]).toEqual([false, 1])
    scope.stop()
  })

  it('looks again, so that what is mended or withdrawn is so here; and forgets all when it is cut off', async () => {
    const time = ref<SpokenTime>({ endMs: PIECE_MS, atMs: 0, live: true })
    const { scope, made: spoken } = scoped(() => useSpoken('c', () => time.value))
    await vi.advanceTimersByTimeAsync(10)
    expect(spoken.captions.value.map((each) => each.text)).toEqual(['0'])
    const before = words
    words = () => [said(1, '改过的')]
    await vi.advanceTimersByTimeAsync(5000)
    expect(spoken.captions.value.map((each) => each.text)).toEqual(['改过的'])
    words = before
    time.value = { endMs: null, atMs: 0, live: false }
    await nextTick()
    expect(spoken.captions.value).toEqual([])
    scope.stop()
  })
})
