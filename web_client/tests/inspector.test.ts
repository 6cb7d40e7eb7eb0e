import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Found, Inspected, ReceivedTrack, RoomLook, SentTrack } from '@/api/inspector'
import { i18n } from '@/i18n'
import { deviceWords, foundWords, nameWords, percent, rateWords, receivedWords, seesWords, sentWords } from '@/pages/desk/inspector/inspector-words'
import { LOOK_MS, RELAY_MS, STALE_MS, useInspector, verdict } from '@/stores/inspector'

const { t } = i18n.global

const person = (id: string, more: Partial<Inspected> = {}): Inspected => ({
  id,
  name: `某${id}`,
  role: 'member',
  venue: null,
  kind: 'client',
  device: 'phone',
  connected: true,
  path: 'udp',
  uplink_loss: 0,
  downlink_loss: 0,
  rtt_ms: 40,
  score: 100,
  found: [],
  uplink: { state: 'connected', path: 'udp', loss: 0 },
  downlink: { state: 'connected', path: 'udp', loss: 0 },
  uplink_bps: 700_000,
  estimate_bps: 3_000_000,
  delivered_bps: 1_000_000,
  link: 'normal',
  sound_only: false,
  pictures: 2,
  sounds: 1,
  hidden: 0,
  lowered: 0,
  largest_height: 720,
  largest_fps: 25,
  sends: [],
  receives: null,
  ...more,
})
const found = (more: Partial<Found>): Found => ({ finding: 'uplink_loss', grade: 'bad', value: null, count: 0, participant_id: null, ...more })
const words = (more: Partial<Found>): string => foundWords(found(more), (id) => `名${id}`, t)
const received = (more: Partial<ReceivedTrack>): ReceivedTrack => ({
  publication_id: 'v1',
  participant_id: 'b',
  kind: 'video',
  source: 'camera',
  state: 'active',
  layer: 'h',
  height: 360,
  shown_height: 360,
  best_height: 720,
  temporal: 2,
  reason: 'size',
  bitrate_bps: 500_000,
  loss: 0,
  freeze: null,
  concealed: null,
  fps: 24.6,
  score: 100,
  ...more,
})
const sent = (more: Partial<SentTrack>): SentTrack => ({ id: 'v1', kind: 'video', source: 'camera', codec: 'VP8', bitrate_bps: 650_000, silent_ms: 20, is_open: true, needed: ['q'], layers: [{ name: 'q', width: 320, height: 180, fps: 15, bitrate_bps: 90_000 }], ...more })

describe('the inspector in words', () => {
  it('reads out what is wrong and what to do', () => {
    expect(words({ value: 0.118 })).toBe('上行丢包 12%，大家听到看到的会断续。建议靠近路由器或换有线网络。')
    expect(words({ finding: 'far', value: 620 })).toContain('620 毫秒')
    expect(words({ finding: 'sound_only', value: 240_000 })).toContain('0.2 兆')
    expect(words({ finding: 'narrow', value: null, count: 3 })).toContain('3 路')
    expect(words({ finding: 'sender', participant_id: 'b' })).toContain('名b')
    expect(words({ finding: 'over_relay', grade: 'note' })).toContain('转接')
  })

  it('is exact where it is little', () => {
    expect([0, 0.0004, 0.034, 0.118, 1].map(percent)).toEqual(['0', '0', '3.4', '12', '100'])
    expect([null, 32_000, 700_000, 8_420_000].map((bps) => rateWords(bps, t))).toEqual(['还不知道', '32 千', '0.7 兆', '8.4 兆'])
  })

  it('says who it is and what they see', () => {
    const player = person('w', { name: null, role: null, device: null, kind: 'whep' })
    expect([nameWords(player, t), deviceWords(player, t)]).toEqual(['播放器', '外部播放（WHEP）'])
    expect(seesWords(person('a'), t)).toBe('2 路画面，720p，25 帧')
    expect(seesWords(person('a', { sound_only: true, pictures: 0 }), t)).toBe('只有声音')
    expect(seesWords(person('a', { pictures: 0 }), t)).toBe('1 路声音')
    expect(seesWords(person('a', { pictures: 0, sounds: 0 }), t)).toBe('没有')
  })

  it('describes single tracks', () => {
    expect(sentWords(sent({}), t)).toBe('320×180 15 帧 90 千，VP8')
    expect(sentWords(sent({ layers: [] }), t)).toBe('没有发出')
    expect(sentWords(sent({ needed: [] }), t)).toBe('没有人看，已暂停')
    expect(sentWords(sent({ kind: 'audio', is_open: false }), t)).toBe('已静音')
    expect(receivedWords(received({}), t)).toBe('360p，25 帧，0.5 兆')
    expect(receivedWords(received({ reason: 'bandwidth', loss: 0.04, freeze: 0.2 }), t)).toBe('360p，25 帧，0.5 兆，网络较弱，已降低，丢包 4%，停住 20%')
    expect(receivedWords(received({ layer: null, reason: 'bandwidth' }), t)).toBe('网络较弱，已暂停')
    expect(receivedWords(received({ layer: null }), t)).toBe('等待画面')
    expect(receivedWords(received({ state: 'unsupported_codec' }), t)).toBe('浏览器放不出')
  })

  it('knows words for every finding and way, in both languages', () => {
    for (const key of ['away', 'no_media', 'media_lost', 'uplink_loss', 'downlink_loss', 'far', 'sound_only', 'narrow', 'freezes', 'broken_sound', 'sender', 'camera_silent', 'microphone_silent', 'small_picture', 'undecodable', 'not_reporting', 'over_tcp', 'over_relay'] as const) {
      expect(words({ finding: key, value: 1, participant_id: 'b' }), key).not.toContain('inspector.')
    }
  })
})

describe('the inspector', () => {
  let answers: (() => Response)[] = []
  const asked: string[] = []
  let checks: Record<string, string> | null = null
  let readied = 0
  const look = (participants: Inspected[]): RoomLook => ({ at_ms: 1000, program_time_ms: null, participants })
  const ok = (participants: Inspected[]) => () => new Response(JSON.stringify(look(participants)))
  const refused = (code: string, status: number) => () => new Response(JSON.stringify({ code }), { status })
  const settle = async (): Promise<void> => void (await vi.advanceTimersByTimeAsync(0))

  beforeEach(() => {
    vi.useFakeTimers()
    setActivePinia(createPinia())
    asked.length = 0
    checks = { database: 'ok' }
    readied = 0
    vi.stubGlobal('fetch', (address: string) => {
      if (address === '/readyz') {
        readied += 1
        return checks ? Promise.resolve(new Response(JSON.stringify({ checks }))) : Promise.reject(new TypeError('kept in'))
      }
      asked.push(address)
      const next = answers.length > 1 ? answers.shift() : answers[0]
      return next ? Promise.resolve(next()) : Promise.reject(new TypeError('offline'))
    })
  })
  afterEach(() => {
    useInspector().stop()
    vi.unstubAllGlobals()
    vi.useRealTimers()
  })

  it('looks every two seconds while it is open, and not afterwards', async () => {
    answers = [ok([])]
    const inspector = useInspector()
    inspector.start()
    await settle()
    expect(inspector.look?.participants).toEqual([])
    await vi.advanceTimersByTimeAsync(2 * LOOK_MS)
    expect(asked).toHaveLength(3)
    inspector.stop()
    await vi.advanceTimersByTimeAsync(5 * LOOK_MS)
    expect(asked).toHaveLength(3)
  })

  it('puts first who needs something, notes not among them', async () => {
    answers = [ok([person('a'), person('b', { found: [found({ finding: 'over_tcp', grade: 'note' })] }), person('c', { found: [found({ grade: 'warn' })] }), person('d', { found: [found({})] })])]
    const inspector = useInspector()
    inspector.start()
    await settle()
    expect(inspector.people.map((each) => each.id)).toEqual(['d', 'c', 'a', 'b'])
    expect(inspector.people.map(verdict)).toEqual(['bad', 'warn', 'ok', 'ok'])
    expect(inspector.ailing).toBe(2)
  })

  it('moves nobody while a row has the focus, and lets newcomers in at the end', async () => {
    answers = [ok([person('a'), person('b')]), ok([person('c', { found: [found({})] }), person('a'), person('b', { found: [found({})] })])]
    const inspector = useInspector()
    inspector.start()
    await settle()
    inspector.hold(true)
    await vi.advanceTimersByTimeAsync(LOOK_MS)
    expect(inspector.people.map((each) => each.id)).toEqual(['a', 'b', 'c'])
    inspector.hold(false)
    expect(inspector.people.map((each) => each.id)).toEqual(['c', 'b', 'a'])
  })

  it('asks for the tracks of who is chosen, who may be gone', async () => {
    answers = [ok([person('a')]), ok([person('a', { receives: [] })]), ok([])]
    const inspector = useInspector()
    inspector.start()
    await settle()
    inspector.choose('a')
    await settle()
    expect(asked.at(-1)).toContain('of=a')
    expect(inspector.open?.receives).toEqual([])
    await vi.advanceTimersByTimeAsync(LOOK_MS)
    expect(inspector.open).toBeNull()
  })

  it('says what it cannot see, keeps what it saw, and says how old that is', async () => {
    answers = [ok([person('a')]), refused('media_unavailable', 503)]
    const inspector = useInspector()
    inspector.start()
    await settle()
    await vi.advanceTimersByTimeAsync(LOOK_MS)
    expect(inspector.trouble).toBe('restarting')
    expect(inspector.people).toHaveLength(1)
    expect(inspector.stale).toBe(false)
    await vi.advanceTimersByTimeAsync(STALE_MS)
    expect(inspector.stale).toBe(true)
    answers = [refused('other_node', 421)]
    await vi.advanceTimersByTimeAsync(LOOK_MS)
    expect(inspector.trouble).toBe('elsewhere')
    answers = []
    await vi.advanceTimersByTimeAsync(LOOK_MS)
    expect(inspector.trouble).toBe('offline')
    answers = [refused('whatever', 500)]
    await vi.advanceTimersByTimeAsync(LOOK_MS)
    expect(inspector.trouble).toBe('failed')
    answers = [ok([])]
    await vi.advanceTimersByTimeAsync(LOOK_MS)
    expect([inspector.trouble, inspector.stale]).toEqual([null, false])
  })
  it('says how the relay does, as the look tells it', async () => {
    answers = [() => new Response(JSON.stringify({ ...look([]), relay: 'failed' }))]
    const inspector = useInspector()
    inspector.start()
    await settle()
    expect(inspector.relay).toBe('failed')
    expect(readied).toBe(0)
  })

  it('asks the server how the relay does where the look does not tell, now and then', async () => {
    answers = [ok([])]
    checks = { relay: 'absent' }
    const inspector = useInspector()
    inspector.start()
    await settle()
    expect(inspector.relay).toBe('absent')
    checks = { relay: 'ok' }
    await vi.advanceTimersByTimeAsync(RELAY_MS / 2)
    expect(readied).toBe(1)
    await vi.advanceTimersByTimeAsync(RELAY_MS)
    expect([inspector.relay, readied]).toEqual(['ok', 2])
    checks = { database: 'ok' }
    await vi.advanceTimersByTimeAsync(RELAY_MS)
    expect(inspector.relay).toBe('off')
    checks = null
    await vi.advanceTimersByTimeAsync(RELAY_MS)
    expect(inspector.relay).toBeNull()
  })
})
