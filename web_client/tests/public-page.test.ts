import { describe, expect, it } from 'vitest'
import type { PublicChapter, PublicConsultation, PublicTextEntry, Span } from '@/api/public'
import { publicEn } from '@/i18n/public.en'
import { publicZhCN } from '@/i18n/public.zh-CN'
import { en as answersEn, zhCN as answersZhCN } from '@/pages/answers/i18n'
import { dateOf } from '@/pages/public/native-playback'
import { countdown, currentAndNext, phaseOf, pollMs } from '@/pages/public/phase'
import { means, renditionUrl } from '@/pages/public/playback'
import { grouped, mediaAt, pieces, programAt } from '@/pages/public/replay-time'
import { gapSeconds, joined } from '@/pages/public/text-entries'

const item = (id: string, state: 'pending' | 'current' | 'done') => ({
  id,
  title: id,
  kind: 'report',
  state,
  planned_minutes: null,
  planned_start_wall_ms: null,
  speaker: null,
  started_at_ms: null,
  ended_at_ms: null,
})

/** Of the texts about answers, which both pages bring. */
const FOR_THE_LIVE_PAGE = ['answers.all', 'answers.more']

const PAGE: PublicConsultation = {
  id: 'c',
  title: '题',
  organization: null,
  status: 'scheduled',
  scheduled_at_ms: null,
  ends_at_ms: null,
  closing_at_ms: null,
  started_wall_ms: null,
  ended_wall_ms: null,
  delay_s: 0,
  cut: false,
  agenda: [],
  current_item: null,
  speaker: null,
  promotion: null,
  captions: null,
  live: null,
  replay: null,
}
const LIVE = { url: '/live/c/index.m3u8', renditions: ['720p', 'audio'] }
const REPLAY = { ...LIVE, duration_ms: 1, spans: [], chapters: [] }

describe('the face of the page', () => {
  it.each([
    [{ status: 'scheduled' }, 'before'],
    [{ status: 'postponed' }, 'off'],
    [{ status: 'cancelled' }, 'off'],
    [{ status: 'live' }, 'preparing'],
    [{ status: 'live', live: LIVE }, 'live'],
    [{ status: 'live', live: LIVE, cut: true }, 'cut'],
    [{ status: 'live', cut: true }, 'cut'],
    [{ status: 'ended', ended_wall_ms: 700_001 }, 'closing'],
    [{ status: 'ended', ended_wall_ms: 700_000 }, 'over'],
    [{ status: 'archived', ended_wall_ms: 999_999 }, 'over'],
    [{ status: 'ended', replay: REPLAY }, 'replay'],
    [{ status: 'archived', replay: REPLAY, cut: true }, 'replay'],
  ] as const)('%o is %s', (more, phase) => {
    expect(phaseOf({ ...PAGE, ...(more as Partial<PublicConsultation>) }, 1_000_000)).toBe(phase)
  })

  it('asks every second or two while a cut-off has to be seen, and sparingly otherwise', () => {
    for (const chance of [0, 0.999]) {
      for (const phase of ['live', 'cut', 'preparing'] as const) {
        expect(pollMs(phase, false, null, 0, chance)).toBeGreaterThanOrEqual(1000)
        expect(pollMs(phase, false, null, 0, chance)).toBeLessThan(2000)
        expect(pollMs(phase, true, null, 0, chance)).toBeGreaterThanOrEqual(10_000)
      }
      expect(pollMs('before', false, 60_000, 0, chance)).toBeLessThan(4000)
      expect(pollMs('before', false, 3_600_000, 0, chance)).toBeGreaterThan(10_000)
      expect(pollMs('before', false, null, 0, chance)).toBeLessThan(4000)
      expect(pollMs('closing', false, null, 0, chance)).toBeLessThan(4000)
      expect(pollMs('replay', false, null, 0, chance)).toBe(60_000)
      expect(pollMs('live', false, null, 9, chance)).toBeLessThanOrEqual(12_500)
    }
    expect(pollMs('live', false, null, 1, 0.5)).toBe(2000)
  })

  it('counts whole minutes down, the running one as well', () => {
    const at = Date.UTC(2026, 10, 20, 6, 30)
    const before = (ms: number) => countdown(at, at - ms)
    expect(before(2 * 86_400_000 + 3 * 3_600_000 + 25 * 60_000 + 1)).toEqual({ days: 2, hours: 3, minutes: 26 })
    expect(before(1)).toEqual({ days: 0, hours: 0, minutes: 1 })
    expect(before(0)).toBeNull()
    expect(before(-5000)).toBeNull()
  })

  it('finds the item that comes next', () => {
    const agenda = [item('a', 'done'), item('b', 'current'), item('c', 'done'), item('d', 'pending')]
    expect(currentAndNext({ ...PAGE, agenda, current_item: 'b' })).toEqual({ current: agenda[1], next: agenda[3] })
    expect(currentAndNext({ ...PAGE, agenda: [item('a', 'pending')] }).next?.id).toBe('a')
    expect(currentAndNext(PAGE)).toEqual({ current: null, next: null })
  })
})

describe('the replay', () => {
  const SPANS: Span[] = [
    [0, 40_000],
    [52_000, 90_000],
  ]
  const chapter = (kind: PublicChapter['kind'], title: string, from: number, to: number): PublicChapter => ({ kind, title, from_ms: from, to_ms: to })
  const CHAPTERS = [
    chapter('item', '通报', 10_000, 45_000),
    chapter('speech', '钱立', 10_000, 30_000),
    chapter('item', '讨论', 45_000, 60_000),
    chapter('promotion', '现金', 60_000, 90_000),
    chapter('speech', '市民政局', 62_000, 90_000),
  ]

  it.each([
    [0, 0],
    [39_999, 39_999],
    [40_000, 52_000],
    [60_000, 72_000],
    [500_000, 90_000],
  ])('at %i of the player it is %i', (media, program) => {
    expect(programAt(SPANS, media)).toBe(program)
    if (program < 90_000) expect(mediaAt(SPANS, program)).toBe(media)
  })

  it('goes to the next picture there is', () => {
    expect(mediaAt(SPANS, 45_000)).toBe(40_000)
    expect(mediaAt(SPANS, 100_000)).toBe(78_000)
    expect(programAt([], 5)).toBe(5)
    expect(mediaAt([[1000, 2000]], 0)).toBe(0)
  })

  it('has one piece an item and no hole', () => {
    expect(pieces(CHAPTERS, SPANS, 78_000)).toEqual([
      { title: '', fromMs: 0, toMs: 10_000, promoted: false },
      { title: '通报', fromMs: 10_000, toMs: 40_000, promoted: false },
      { title: '讨论', fromMs: 40_000, toMs: 48_000, promoted: false },
      { title: '现金', fromMs: 48_000, toMs: 78_000, promoted: true },
    ])
    expect(pieces([], SPANS, 78_000)).toEqual([])
  })

  it('lists speeches and comments within their item', () => {
    expect(grouped(CHAPTERS).map(({ chapter: { title }, within }) => [title, within.map((each) => each.title)])).toEqual([
      ['通报', ['钱立']],
      ['讨论', ['现金', '市民政局']],
    ])
    expect(grouped([chapter('speech', '先', 0, 1), chapter('item', '通报', 5, 9)])).toHaveLength(2)
  })
})

describe('playing', () => {
  it('reads the time of day from the start of what can be played', () => {
    expect(dateOf({ currentTime: 12.5, getStartDate: () => new Date(1_000_000) })).toBe(1_012_500)
    expect(dateOf({ currentTime: 12.5, getStartDate: () => new Date(Number.NaN) })).toBeNull()
    expect(dateOf({ currentTime: 12.5 })).toBeNull()
  })

  it('finds the playlist of a rendition', () => {
    const url = '/live/c/index.m3u8'
    expect(renditionUrl({ url, live: true }, 'auto')).toBe(url)
    expect(renditionUrl({ url, live: true }, '360p')).toBe('/live/c/360p.m3u8')
    expect(renditionUrl({ url, live: false }, 'audio')).toBe('/live/c/replay/audio.m3u8')
  })

  it('takes the browser’s own player when the address says so', () => {
    expect(means('?native=1')).toBe('native')
  })
})

describe('图文直播', () => {
  const entry = (kind: PublicTextEntry['kind'], at_ms: number, text = ''): PublicTextEntry => ({ kind, at_ms, text, line: '', url: null })

  it('is one list, newest first, each entry once', () => {
    const newer = [entry('speaker', 9, '乙'), entry('still', 5), entry('item', 5, '讨论')]
    expect(joined(newer, [entry('item', 5, '讨论'), entry('speaker', 1, '甲')])).toEqual([...newer, entry('speaker', 1, '甲')])
  })

  it('speaks of a gap only when it was long', () => {
    expect(gapSeconds(0, 14_999)).toBeNull()
    expect(gapSeconds(0, 40_400)).toBe(40)
  })
})

describe('texts of the public page', () => {
  type Tree = { [key: string]: string | Tree }
  const flat = (tree: Tree, path = ''): [string, string][] =>
    Object.entries(tree).flatMap(([key, value]) => (typeof value === 'string' ? [[path + key, value] as [string, string]] : flat(value, `${path}${key}.`)))
  const places = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '').sort()

  const bundles = [
    {
      name: 'live',
      chinese: publicZhCN as Tree,
      english: publicEn as Tree,
      sources: import.meta.glob<string>(['../src/pages/public/**/*.{vue,ts}', '../src/components/AgendaLines.vue'], { query: '?raw', import: 'default', eager: true }),
    },
    {
      name: 'answers',
      chinese: answersZhCN as Tree,
      english: answersEn as Tree,
      sources: import.meta.glob<string>(['../src/pages/answers/*.{vue,ts}', '../src/pages/public/PublicTop.vue', '../src/pages/public/comments/{AnswerItem,AnswerBox,RateAnswer}.vue'], { query: '?raw', import: 'default', eager: true }),
    },
  ]

  it.each(bundles)('are there in both languages, with the same places to fill in: $name', ({ chinese, english }) => {
    const found = new Map(flat(english))
    expect([...found.keys()].sort()).toEqual(flat(chinese).map(([key]) => key).sort())
    for (const [key, text] of flat(chinese)) {
      expect(places(found.get(key) ?? ''), key).toEqual(places(text))
      expect(text, key).not.toMatch(/[!！]/)
    }
  })

  it.each(bundles)('are all used, and none is missing: $name', ({ name, chinese, sources: files }) => {
    const sources = Object.values(files).join('\n')
    const shared = new Set(['common.large', 'common.close', ...(name === 'answers' ? FOR_THE_LIVE_PAGE : [])])
    const built = [/^before\.(postponed|cancelled)(Text)?$/, /^before\.(copied|copyFailed)$/, /^player\.(auto|720p|360p|audio)$/, /^comments\.(refused|reasons|status)\./, /^answers\.(rating|refused)\./, /^identity\.(done|failed)\./]
    for (const [key] of flat(chinese)) {
      expect(sources.includes(`'${key}'`) || shared.has(key) || built.some((each) => each.test(key)), key).toBe(true)
    }
    const known = new Set(flat(chinese).map(([key]) => key))
    for (const [, key] of sources.matchAll(/\bt\('([a-zA-Z0-9.]+)'/g)) expect(known.has(key ?? ''), key).toBe(true)
  })
})
