import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import type { Participant } from '@/api/messages'
import type { Checked, VenueHealth, VenueMinute, VenueReason } from '@/api/venue-board'
import { i18n } from '@/i18n'
import { lineOf, MINUTE_MS, roof } from '@/pages/desk/venues/plots'
import { canSendSteps, checkCounts, eventWords, lineWords, lossWords, nowWords, placeWords, sentence, stepsMessage, toneOf, upWords, whyWords } from '@/pages/desk/venues/venue-words'
import { useLine } from '@/stores/line'
import { useVenueBoard } from '@/stores/venue-board'

const { t } = i18n.global
const NOW = Date.UTC(2026, 10, 6, 7, 42)

const venue = (id: string, more: Partial<VenueHealth> = {}): VenueHealth => ({
  venue_id: id,
  name: `会场${id}`,
  kind: 'branch',
  place: '县政协委员之家',
  operator_name: '马干事',
  prepared: true,
  verdict: 'ok',
  reason: 'well',
  value: null,
  count: 0,
  since_ms: NOW - 6 * MINUTE_MS,
  need: 0,
  steps: [],
  participant_ids: [`p${id}`],
  picture_id: `p${id}`,
  people: 0,
  uplink_bps: 6_100_000,
  uplink_loss: 0.004,
  rtt_ms: 62,
  path: 'udp',
  cameras: [],
  checked: null,
  ...more,
})
const weak = (id: string): VenueHealth => venue(id, { verdict: 'look', reason: 'uplink_loss', value: 0.062, need: 1, steps: ['use_wire', 'use_hotspot', 'use_phone'] })
const away = (id: string): VenueHealth => venue(id, { verdict: 'act', reason: 'away', value: 4, need: 3, steps: ['wait', 'check_power', 'use_phone'] })
const person = (more: Partial<Participant> = {}): Participant => ({ id: 'pa', role: 'venue_operator', microphone: true, hand: null, ...more }) as Participant
const minute = (n: number, loss: number): VenueMinute => ({ at_ms: NOW + n * MINUTE_MS, uplink_bps: 1_000_000, loss, worst_loss: loss, rtt_ms: null })

describe('the board in words', () => {
  it('says one sentence for all', () => {
    const says = (all: VenueHealth[], live = true): string => sentence(all, live, t).title
    expect(says([])).toBe('还没有会场')
    expect(says([venue('a'), venue('b')])).toBe('2 个会场都正常')
    expect(says([venue('a'), venue('b'), venue('c'), weak('d')])).toBe('3 个会场正常，1 个请看一下')
    expect(says([venue('a'), away('b')])).toBe('会场b断线，正在等它回来')
    expect(says([away('a'), weak('b')])).toBe('1 个需要处理，1 个请看一下')
    const missing = venue('a', { verdict: 'absent', reason: 'not_here', need: 2, participant_ids: [] })
    expect(says([venue('b'), missing])).toBe('1 个会场正常，1 个不在会')
    expect(says([{ ...missing, need: 0 }], false)).toBe('会场都还没有进入')
    expect(says([venue('b'), { ...missing, need: 0 }], false)).toBe('1 个会场正常，1 个还没有进入')
  })

  it('tells of the one in need, in the colour of its verdict', () => {
    const found = sentence([venue('a'), weak('b'), away('c')], true, t)
    expect([found.about?.name, found.tone]).toEqual(['会场c', 'bad'])
    expect(sentence([venue('a')], true, t).about).toBeNull()
    expect(toneOf(venue('a', { verdict: 'absent', need: 2 }))).toBe('warn')
    expect(toneOf(venue('a', { verdict: 'absent', need: 0 }))).toBe('off')
  })

  it('reads out why and what it sends', () => {
    expect(whyWords(weak('a'), t)).toBe('丢包 6.2%，会议不受影响。请操作员改接网线。')
    expect([upWords(venue('a'), t), lossWords(venue('a'), t)]).toEqual(['6.1 兆', '0.4 %'])
    expect(upWords(venue('a', { uplink_bps: null }), t)).toBe('没有数据')
    expect(placeWords(venue('a'), t)).toBe('县政协委员之家 · 马干事')
    expect(placeWords(venue('a', { prepared: false, operator_name: '' }), t)).toBe('未列入名单')
  })

  it('tells what a venue that is well does now', () => {
    const well = venue('a')
    expect(nowWords(well, [person()], t)).toBe('正常')
    expect(nowWords(well, [person({ microphone: false })], t)).toBe('正常，已静音')
    expect(lineWords(well, [person()], '林委员', NOW, t)).toBe('话筒打开，正在发言：林委员')
    expect(lineWords(well, [person({ hand: 2 })], null, NOW, t)).toBe('话筒打开，排第 2 位')
    expect(lineWords(venue('a', { path: 'https_port' }), [person({ microphone: false })], null, NOW, t)).toBe('话筒已静音，备用线路（443 端口），时延 62 毫秒')
    expect(lineWords(weak('a'), [person()], null, NOW, t)).toBe('已 6 分钟')
  })

  it('has words for every reason in both languages', () => {
    const reasons = Object.keys(i18n.global.messages.value['zh-CN'].board.reason) as VenueReason[]
    for (const reason of reasons) {
      expect(whyWords(venue('a', { reason, value: 0.1, count: 1 }), t)).not.toMatch(/board\.|\{/)
      expect(nowWords(venue('a', { reason, verdict: 'look', count: 1 }), [], t)).not.toMatch(/board\.|\{/)
    }
  })

  it('sends an operator the steps that an operator can do', () => {
    expect(stepsMessage(weak('a'), t)).toBe(
      ['网络较弱，画面会卡。请按下面几步做：', '1. 改接网线：拔掉无线网，网线直接插到电脑上', '2. 接不了网线，用手机热点：手机放在电脑旁 1 米内，关掉其他手机的热点', '3. 还不行，用手机进入：会场链接在手机上同样可用，席位和名牌不变'].join('\n'),
    )
    const camera = venue('a', { reason: 'camera_down', steps: ['check_camera', 'check_cable', 'check_address'] })
    expect(stepsMessage(camera, t)).not.toContain('会务组核对')
    expect(canSendSteps(venue('a', { steps: ['call', 'resend_link'] }))).toBe(false)
    expect(canSendSteps({ ...weak('a'), participant_ids: [] })).toBe(false)
    expect(canSendSteps(away('a'))).toBe(false)
    expect(stepsMessage(weak('a'), t).length).toBeLessThan(500)
  })

  it('counts the items of a pre-check, what failed before what is to be looked at', () => {
    const items = (['passed', 'warning', 'failed', 'passed'] as const).map((verdict) => ({ item: 'camera' as const, verdict, faults: [] }))
    expect(checkCounts({ items } as unknown as Checked)).toEqual([
      { verdict: 'passed', n: 2 },
      { verdict: 'failed', n: 1 },
      { verdict: 'warning', n: 1 },
    ])
  })

  it('explains a plot by what changed', () => {
    expect(eventWords({ at_ms: 0, verdict: null, reason: null, path: 'https_port' }, t)).toBe('改走备用线路（443 端口）')
    expect(eventWords({ at_ms: 0, verdict: 'act', reason: 'away', path: null }, t)).toBe('断线，正在等它回来')
  })
})

describe('a plot', () => {
  const frame = { left: 0, right: 100, top: 0, bottom: 10 }

  it('joins minutes and leaves a gap where nothing was measured', () => {
    const axis = { fromMs: NOW, toMs: NOW + 10 * MINUTE_MS, max: 0.1 }
    expect(lineOf([minute(0, 0), minute(1, 0.1), minute(5, 0.05)], (each) => each.loss, frame, axis)).toBe('M0 10h1L10 0M50 5h1')
    expect(lineOf([], (each) => each.loss, frame, axis)).toBe('')
  })

  it('has a roof that is a round number', () => {
    expect([roof([0.01], 0.06), roof([0.07], 0.06), roof([8_400_000], 1_000_000), roof([], 1_000_000)]).toEqual([0.06, 0.08, 10_000_000, 1_000_000])
  })
})

describe('the store of the board', () => {
  let answers: VenueHealth[]
  let asked: string[]
  let status: number

  beforeEach(() => {
    setActivePinia(createPinia())
    vi.useFakeTimers()
    answers = [venue('a'), venue('b'), venue('c')]
    asked = []
    status = 200
    vi.stubGlobal(
      'fetch',
      vi.fn((address: string) => {
        asked.push(address)
        const one = /venues\/([^/]+)\/health/.exec(address)?.[1]
        const minutes = [minute(0, 0.01)]
        const body = one ? { ...answers.find((each) => each.venue_id === one), minutes, events: [] } : { at_ms: NOW, is_live: true, items: answers.map((each) => ({ ...each, minutes })), others: { well: 3, weak: 1 } }
        return Promise.resolve(new Response(JSON.stringify(status === 200 ? body : { code: 'other_node' }), { status, headers: { 'Content-Type': 'application/json' } }))
      }),
    )
  })
  afterEach(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })
  const ids = (): string[] => useVenueBoard().rows.map((each) => each.venue_id)

  it('puts the one in need first, and the others in the order of the list', async () => {
    answers = [venue('a'), weak('b'), away('c')]
    const board = useVenueBoard()
    await board.load()
    expect(ids()).toEqual(['c', 'b', 'a'])
    expect([board.needing, board.others.weak, board.minutes('a')]).toEqual([2, 1, [minute(0, 0.01)]])
  })

  it('moves rows when a verdict changes, and never while one has the focus', async () => {
    const board = useVenueBoard()
    await board.load()
    board.apply({ at_ms: NOW + 1, venues: [venue('b', { uplink_bps: 1 })], gone: [], others: { well: 1, weak: 0 } })
    await nextTick()
    expect(ids()).toEqual(['a', 'b', 'c'])
    expect(board.rows[1]?.uplink_bps).toBe(1)
    board.hold(true)
    board.apply({ at_ms: NOW + 2, venues: [away('c')], gone: [], others: { well: 1, weak: 0 } })
    await nextTick()
    expect([ids(), board.needing]).toEqual([['a', 'b', 'c'], 1])
    board.hold(false)
    expect(ids()).toEqual(['c', 'a', 'b'])
  })

  it('takes what is new and drops what is gone, also while a row is held', async () => {
    const board = useVenueBoard()
    await board.load()
    board.hold(true)
    board.apply({ at_ms: NOW + 1, venues: [weak('d')], gone: ['a'], others: { well: 1, weak: 0 } })
    await nextTick()
    expect(ids()).toEqual(['b', 'c', 'd'])
    board.hold(false)
    expect(ids()).toEqual(['d', 'b', 'c'])
  })

  it('looks again when the line is back, and does not listen before its first look', async () => {
    const board = useVenueBoard()
    board.apply({ at_ms: NOW, venues: [away('a')], gone: [], others: { well: 0, weak: 0 } })
    expect(board.venues).toBeNull()
    board.follow()
    expect(asked).toEqual([])
    useLine().up = true
    await vi.waitFor(() => expect(board.venues).toHaveLength(3))
    useLine().up = false
    await nextTick()
    answers = [away('a')]
    useLine().up = true
    await vi.waitFor(() => expect(board.needing).toBe(1))
  })

  it('keeps what it has when a look fails, and says so', async () => {
    const board = useVenueBoard()
    await board.load()
    status = 421
    await board.load()
    expect([board.failed, board.venues?.length]).toEqual([true, 3])
    board.apply({ at_ms: NOW + 1, venues: [], gone: [], others: { well: 0, weak: 0 } })
    expect(board.failed).toBe(false)
  })

  it('fetches the session of the one that is opened, every minute while the place is open', async () => {
    const board = useVenueBoard()
    await board.load()
    board.choose('b')
    await vi.waitFor(() => expect(board.opened?.venue_id).toBe('b'))
    asked = []
    board.start()
    await vi.advanceTimersByTimeAsync(0)
    expect(asked.filter((each) => each.includes('/b/health'))).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(asked.filter((each) => each.includes('/b/health'))).toHaveLength(2)
    board.stop()
    await vi.advanceTimersByTimeAsync(200_000)
    expect(asked.filter((each) => each.includes('/b/health'))).toHaveLength(2)
  })
})
