import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pointPlace, unitPlaces } from '@/api/code-points'
import type { AgendaItem } from '@/api/messages'
import type { Gap, TranscriptState } from '@/api/transcript'
import { i18n } from '@/i18n'
import { chinese, english } from '@/i18n/texts'
import { aligned, written } from '@/pages/desk/minutes/align'
import { fileName, gapLength, gapWords, hindrance } from '@/pages/desk/minutes/minutes-words'
import { placeAt } from '@/pages/desk/minutes/replay-place'
import { RowHeights } from '@/pages/desk/minutes/row-heights'
import { pieces } from '@/pages/desk/minutes/text-marks'
import { timeParts } from '@/pages/desk/minutes/time-parts'
import { chineseNumber, rowsOf } from '@/pages/desk/minutes/transcript-rows'
import { timedAt, timedWhen, wordTimes } from '@/pages/desk/minutes/word-times'
import { agendaItem } from './fakes'
import { segment } from './transcripts'

const { t, te } = i18n.global
const words = { t, te: (key: string) => te(key, 'zh-CN') }

describe('what was changed in a text', () => {
  const marked = (text: string, raw: string, automatic: number[] = []): string[] => written(text, raw, automatic).map(([from, to]) => text.slice(from, to))

  it('is what the engine did not say, without punctuation that was put at pauses', () => {
    expect(marked('助餐点可以用现金，也可以刷社保卡。', '助餐 点 可以 用 现金 也 可以 刷 社保卡', [8, 16])).toEqual([])
    expect(marked('助餐点可以刷社保卡', '助 餐 店 可以 刷 社保卡')).toEqual(['点'])
    expect(marked('这条留言我们带到会上', '我们带到会上')).toEqual(['这条留言'])
    expect(marked('我们带上', '我们带到会上')).toEqual([])
  })

  it('counts punctuation that somebody wrote', () => {
    expect(marked('好的，可以', '好的可以')).toEqual(['，'])
  })

  it('finds the longest that both have', () => {
    expect([...aligned('甲丙丁', '甲乙丙丁')]).toEqual([0, 2, 3])
    expect([...aligned('', '甲')]).toEqual([])
    expect([...aligned('甲', '')]).toEqual([-1])
  })

  it('goes place by place where texts are too long for a table', () => {
    const long = '一二三四五六七八九十'.repeat(300)
    const other = `零${'十九八七六五四三二一'.repeat(300)}末`
    const found = aligned(long, other)
    expect(found).toHaveLength(long.length)
    found.forEach((place, at) => {
      if (place >= 0) expect(long[at]).toBe(other[place])
    })
  })
})

describe('when a word was said', () => {
  const said: [string, number, number, number][] = [
    ['助餐', 1000, 1400, 1],
    ['店', 1400, 1600, 0.3],
    ['用', 1700, 1800, 1],
    ['现金', 1800, 2400, 1],
  ]

  it('is known for every character, of corrected ones by their neighbours', () => {
    const text = '助餐点用现金。'
    const timed = wordTimes(text, said)
    expect(timed.map((each) => [text.slice(each.from, each.to), each.startMs])).toEqual([
      ['助餐点', 1000],
      ['用', 1700],
      ['现金。', 1800],
    ])
    expect(timedAt(timed, 3)?.startMs).toBe(1700)
    expect(timedAt(timed, 99)?.startMs).toBe(1800)
  })

  it('shows what is being said, and nothing in a long pause', () => {
    const timed = wordTimes('助餐店用现金', said)
    expect(timedWhen(timed, 900)).toBeNull()
    expect(timedWhen(timed, 1500)?.from).toBe(2)
    expect(timedWhen(timed, 9000)).toBeNull()
  })

  it('is unknown without words', () => {
    expect(wordTimes('有字', [])).toEqual([])
    expect(timedAt([], 0)).toBeNull()
  })
})

describe('a text with marks', () => {
  it('is cut where marks begin and end, and where others are', () => {
    const cut = pieces(
      '助餐点现金',
      [
        { from: 1, to: 4, kind: 'written' },
        { from: 3, to: 5, kind: 'heard' },
      ],
      [{ at: 3, name: '刘秘书' }],
    )
    expect(cut.map((each) => [each.text, each.kinds.join('+'), each.carets.join()])).toEqual([
      ['助', '', ''],
      ['餐点', 'written', ''],
      ['现', 'written+heard', '刘秘书'],
      ['金', 'heard', ''],
    ])
    expect(cut.map((each) => each.from)).toEqual([0, 1, 3, 4])
  })

  it('has room for a caret at its end, also of one that stands behind it', () => {
    expect(pieces('好', [], [{ at: 9, name: '甲' }]).at(-1)).toEqual({ from: 1, text: '', kinds: [], carets: ['甲'] })
    expect(pieces('', [])).toEqual([])
  })
})

describe('rare characters', () => {
  it('are one to the server and two to the browser', () => {
    const text = '𠮷镇长说好'
    expect(unitPlaces(text, [0, 1, 4])).toEqual([0, 2, 5])
    expect(unitPlaces(text, [5])).toEqual([text.length])
    expect(pointPlace(text, 3)).toBe(2)
    expect(unitPlaces('平常', [1])).toEqual([1])
    expect(pointPlace('平常', 1)).toBe(1)
  })
})

describe('heights of rows', () => {
  const filled = (count: number, height: number): RowHeights => {
    const heights = new RowHeights()
    heights.use(
      Array.from({ length: count }, (_, at) => `r${at}`),
      () => height,
    )
    return heights
  }

  it('find the row at a place among thousands', () => {
    const heights = filled(4000, 80)
    expect(heights.total).toBe(320_000)
    expect([0, 79, 80, 159_999, 160_000, 1e9, -5].map((y) => heights.at(y))).toEqual([0, 0, 1, 1999, 2000, 3999, 0])
  })

  it('move what is below by what a row grew, and keep that when others come', () => {
    const heights = filled(10, 80)
    expect(heights.set('r2', 120)).toBe(40)
    expect(heights.set('r2', 120)).toBe(0)
    expect(heights.top(3)).toBe(280)
    heights.use(['new', 'r1', 'r2'], () => 50)
    expect([heights.top(0), heights.top(1), heights.top(2), heights.total]).toEqual([0, 50, 100, 220])
  })

  it('stay what they were until they are measured anew', () => {
    const heights = filled(3, 80)
    heights.set('r0', 100)
    heights.forget()
    expect(heights.total).toBe(260)
    expect(heights.set('r0', 140)).toBe(40)
  })

  it('are nothing where there are no rows', () => {
    const heights = new RowHeights()
    expect([heights.total, heights.at(10), heights.count]).toEqual([0, 0, 0])
  })
})

describe('the rows of the transcript', () => {
  const gap = (from_ms: number): Gap => ({ participant_id: 'p1', name: '石桥村连线点', from_ms, to_ms: from_ms + 18_000, state: 'lost', reason: '', note: '' })
  const item = (id: string, at: number | null, kind: AgendaItem['kind'] = 'speech'): AgendaItem => agendaItem(id, { title: id, kind, started_at_ms: at })

  it('stand in the order of their time: items before what is said in them, gaps in their place', () => {
    const rows = rowsOf([segment('seg_1', { start_ms: 0 }), segment('seg_2', { start_ms: 9000 })], [gap(4000)], [item('开场', 0), item('网友问', 100, 'promotion'), item('讨论', 9000), item('没有轮到', null)])
    expect(rows.map((each) => each.key)).toEqual(['item 开场', 'seg_1', 'gap p1 4000 22000', 'item 讨论', 'seg_2'])
    expect(rows.flatMap((each) => (each.kind === 'item' ? [each.number] : []))).toEqual([1, 2])
  })

  it('number items as people do', () => {
    expect([1, 4, 10, 12, 20, 35].map(chineseNumber)).toEqual(['一', '四', '十', '十二', '二十', '三十五'])
  })
})

describe('gaps in words', () => {
  const gap = (more: Partial<Gap>): Gap => ({ participant_id: 'p1', name: '甲', from_ms: 0, to_ms: 18_000, state: 'waiting', reason: '', note: '', ...more })

  it('say how long and why', () => {
    expect([18_000, 60_000, 83_000, 200].map((to_ms) => gapLength({ from_ms: 0, to_ms }, t))).toEqual(['18 秒', '1 分钟', '1 分 23 秒', '1 秒'])
    expect(gapWords(gap({ state: 'waived', note: '线路中断，未录到' }), words)).toBe('线路中断，未录到')
    expect(gapWords(gap({ state: 'failed', reason: 'unreadable' }), words)).toBe('录音文件读不出来。可以再试一次，或者注明原因。')
    expect(gapWords(gap({ state: 'failed', reason: 'something_new' }), words)).toContain('没有成功')
    expect(gapWords(gap({ state: 'lost' }), words)).toContain('未录到')
    expect(gapWords(gap({ state: 'lost', reason: 'deleted' }), words)).toContain('录音已删除')
    expect(gapWords(gap({ state: 'waiting', reason: 'unsettled' }), words)).toContain('还没有写完')
    expect(gapWords(gap({ state: 'running', reason: 'unsettled' }), words)).toContain('正在')
  })

  it('are there for every reason that the server gives, in both languages, and for no other', () => {
    // vitest runs in web_client.
    const source = readFileSync(resolve(process.cwd(), '../conference/model/gap_reasons.py'), 'utf8')
    const reasons = [...source.matchAll(/^ {4}[A-Z_]+ = "([a-z_]+)"/gm)].map((match) => match[1] ?? '')
    expect(reasons).toContain('unreadable')
    for (const texts of [chinese, english]) expect(Object.keys(texts.minutes.gap.reason).sort()).toEqual([...reasons].sort())
  })
})

describe('what hinders recognition', () => {
  const state = (more: Partial<TranscriptState>): TranscriptState => ({ model: { engine: 'vosk', name: 'zh-small', reason: '' }, state: 'on', lag_ms: 0, gaps: [], jobs: { waiting: 0, running: 0, done_ms: 0, total_ms: 0 }, ...more })

  it('is nothing when all is well, and a missing model before all', () => {
    expect(hindrance(null, true)).toBeNull()
    expect(hindrance(state({}), true)).toBeNull()
    expect(hindrance(state({ model: { engine: '', name: '', reason: 'no_model' }, state: 'late' }), true)).toEqual({ tone: 'warn', key: 'no_model' })
    expect(hindrance(state({ model: { engine: 'vosk', name: 'x', reason: 'wrong_rate' } }), false)?.key).toBe('wrong_rate')
    expect(hindrance(state({ model: { engine: '', name: '', reason: 'worker_ended' } }), true)?.key).toBe('trouble')
  })

  it('is told of what is live only while it is', () => {
    expect(hindrance(state({ state: 'late' }), true)?.key).toBe('late')
    expect(hindrance(state({ state: 'off' }), true)).toEqual({ tone: 'pri', key: 'off' })
    expect(hindrance(state({ state: 'off' }), false)).toBeNull()
  })
})

describe('times in the minutes', () => {
  it('lead to the sound', () => {
    expect(timeParts('[引自 01:09:58 市民政局] 14:30 开始')).toEqual([
      { text: '[引自 ', atMs: null },
      { text: '01:09:58', atMs: 4_198_000 },
      { text: ' 市民政局] 14:30 开始', atMs: null },
    ])
    expect(timeParts('没有时间')).toEqual([{ text: '没有时间', atMs: null }])
  })
})

describe('the picture beside the words', () => {
  const pieces = [
    { start: 0, duration: 4, programDateTime: 1000 },
    { start: 4, duration: 4, programDateTime: 5000 },
    { start: 8, duration: 4, programDateTime: 60_000 },
  ]
  it('is found by the time of the day, over what was not made to the next', () => {
    expect([1000, 3000, 7500, 20_000, 61_000, 99_000, 0].map((at) => placeAt(pieces, at))).toEqual([0, 2, 6.5, 8, 9, 12, 0])
    expect(placeAt([{ start: 0, duration: 4, programDateTime: null }], 5)).toBeNull()
  })
})

describe('names of files', () => {
  it('hold no sign that a disk refuses', () => {
    expect(fileName('养老/服务：协商', '会议纪要', 'docx')).toBe('养老_服务：协商-会议纪要.docx')
    expect(fileName('', '转写稿', 'txt')).toBe('转写稿-转写稿.txt')
  })
})

