import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CaptionFinal, CaptionPartial, CaptionState } from '@/api/captions'
import { corrected, fresh, joinedText, PARTIAL_STAYS_MS, shown, STAYS_MS, withFinal, withoutPartials, withPartial, type CaptionLines } from '@/stores/caption-lines'
import { useCaptions } from '@/stores/captions'
import { useNotices } from '@/stores/notices'
import { usePreferences } from '@/stores/preferences'
import { useRoom } from '@/stores/room'
import { applyEvent, stateFrom } from '@/stores/room-state'
import { snapshot } from './fakes'

const speaker = (name: string) => ({ name, role: 'member' as const, venue: null, title: null, is_certain: true })
const partial = (who: string, text: string, from_ms = 0, name = who): CaptionPartial => ({ participant_id: who, speaker: speaker(name), text, from_ms })
const final = (id: string, who: string, text: string, [start_ms, end_ms] = [0, 1000], name = who): CaptionFinal => ({ segment_id: id, participant_id: who, speaker: speaker(name), text, start_ms: start_ms ?? 0, end_ms: end_ms ?? 0 })
const said = (lines: CaptionLines): string[] => lines.map((each) => `${each.name}：${joinedText(each.finals.map((one) => one.text))}|${each.partial}`)

describe('caption lines', () => {
  it('grow in place, and the final stands where the partial stood', () => {
    let lines = withPartial([], partial('林', '村里的'), 0)
    lines = withPartial(lines, partial('林', '村里的互助点'), 300)
    expect(said(lines)).toEqual(['林：|村里的互助点'])
    lines = withFinal(lines, final('s1', '林', '村里的互助点，缺人。'), 600)
    expect(said(lines)).toEqual(['林：村里的互助点，缺人。|'])
    lines = withPartial(lines, partial('林', '我们', 2000), 900)
    expect(said(lines)).toEqual(['林：村里的互助点，缺人。|我们'])
  })

  it('leave the next sentence when the final of the one before comes after its first words', () => {
    let lines = withPartial([], partial('林', '第二句', 5000), 0)
    lines = withFinal(lines, final('s1', '林', '第一句。', [1000, 4000]), 100)
    expect(said(lines)).toEqual(['林：第一句。|第二句'])
    expect(said(withFinal(lines, final('s2', '林', '第二句。', [5000, 6000]), 200))).toEqual(['林：第一句。第二句。|'])
  })

  it('end with an empty partial, and an empty final adds nothing', () => {
    const lines = withPartial([], partial('林', '嗯'), 0)
    expect(withPartial(lines, partial('林', ''), 100)).toEqual([])
    expect(withPartial([], partial('林', ''), 100)).toEqual([])
    expect(withFinal([], final('s1', '林', ''), 100)).toEqual([])
  })

  it('are not there twice, and are put right where they stand', () => {
    let lines = withFinal([], final('s1', '林', '助餐点'), 0)
    lines = withFinal(lines, final('s1', '林', '助餐点。'), 50)
    expect(said(lines)).toEqual(['林：助餐点。|'])
    expect(said(corrected(lines, { segment_id: 's1', text: '助餐券。' }))).toEqual(['林：助餐券。|'])
    expect(corrected(lines, { segment_id: 's1', text: '' })).toEqual([])
    expect(corrected(lines, { segment_id: 'other', text: '别的' })).toBe(lines)
  })

  it('keep the two newest speakers, each at the place where it began', () => {
    let lines = withPartial([], partial('甲', '一'), 0)
    lines = withPartial(lines, partial('乙', '二'), 100)
    lines = withPartial(lines, partial('甲', '一一'), 200)
    expect(said(shown(lines))).toEqual(['甲：|一一', '乙：|二'])
    lines = withPartial(lines, partial('丙', '三'), 300)
    expect(said(shown(lines))).toEqual(['甲：|一一', '丙：|三'])
  })

  it('begin anew when the microphone is somebody else’s now', () => {
    let lines = withFinal([], final('s1', '会场', '好。', [0, 900], '何委员'), 0)
    lines = withPartial(lines, partial('会场', '我来', 1000, '沈委员'), 100)
    expect(said(lines)).toEqual(['沈委员：|我来'])
  })

  it('go when nobody has added anything for a while; a partial without an end sooner', () => {
    let lines = withFinal([], final('s1', '林', '好。'), 0)
    lines = withPartial(lines, partial('陈', '我'), 0)
    expect(fresh(lines, PARTIAL_STAYS_MS - 1)).toBe(lines)
    expect(said(fresh(lines, PARTIAL_STAYS_MS))).toEqual(['林：好。|'])
    expect(fresh(lines, STAYS_MS)).toEqual([])
    expect(said(withoutPartials(lines))).toEqual(['林：好。|'])
  })

  it('let go what has rolled out of sight', () => {
    let lines: CaptionLines = []
    for (let n = 1; n <= 9; n += 1) lines = withFinal(lines, final(`s${n}`, '林', `${n}。`), n)
    expect(said(lines)).toEqual(['林：7。8。9。|'])
  })

  it('join Chinese without a space and other scripts with one', () => {
    expect(joinedText(['好。', '我们走访了', '', '三十二个村'])).toBe('好。我们走访了三十二个村')
    expect(joinedText(['안녕하세요', '여러분'])).toBe('안녕하세요 여러분')
    expect(joinedText(['Good morning', 'everybody'])).toBe('Good morning everybody')
    expect(joinedText(['用 5G', '网络'])).toBe('用 5G网络')
  })
})

describe('captions of the room', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    window.localStorage.clear()
    setActivePinia(createPinia())
  })
  afterEach(() => vi.useRealTimers())

  function live(captions: CaptionState, more: object = {}): ReturnType<typeof useCaptions> {
    const store = useCaptions()
    const told = snapshot({ program_time_ms: 60_000, ...more })
    const whole = { ...told, consultation: { ...told.consultation, status: 'live', captions } }
    useRoom().take(whole)
    store.take(whole)
    return store
  }

  it('have their state among the versions, and what is said outside of them', () => {
    const state = stateFrom(snapshot())
    expect(applyEvent(state, 'captions.updated', { version: 3, state: 'on' })).toBe(false)
    expect(applyEvent(state, 'captions.updated', { version: 2, state: 'late' })).toBe(true)
    expect(state).toMatchObject({ version: 2, consultation: { captions: 'late' } })
    expect(applyEvent(state, 'caption.final', final('s1', '林', '好。'))).toBe(true)
    expect(state.version).toBe(2)
  })

  it('show what was said just before one came, and nothing older', async () => {
    const store = live('on', { recent_captions: [final('s1', '林', '早就说过。', [1000, 2000]), final('s2', '陈', '刚才说的。', [52_000, 55_000])] })
    expect(store.lines.map((each) => each.said)).toEqual(['刚才说的。'])
    await vi.advanceTimersByTimeAsync(STAYS_MS)
    expect(store.lines).toEqual([])
  })

  it('say how far they are behind', async () => {
    const store = live('late')
    expect(store.note).toContain('会自动赶上')
    store.told('caption.final', final('s1', '林', '好。', [50_000, 53_600]))
    expect(store.note).toBe('字幕延迟约 6 秒')
    useRoom().apply({ name: 'captions.updated', payload: { version: 2, state: 'on' } })
    expect(store.note).toBeNull()
    store.told('caption.partial', partial('陈', '我说', 60_000))
    useRoom().apply({ name: 'captions.updated', payload: { version: 3, state: 'trouble' } })
    await vi.advanceTimersByTimeAsync(1)
    expect(store.lines.map((each) => each.partial)).toEqual([''])
    expect(store.note).toContain('正在恢复')
  })

  it('are switched by the reader, who is remembered', async () => {
    const store = live('on')
    expect(store.on).toBe(true)
    store.toggle()
    await vi.advanceTimersByTimeAsync(1)
    expect(store.on).toBe(false)
    expect(window.localStorage.getItem('yuanshang.captions')).toBe('off')
    setActivePinia(createPinia())
    expect(usePreferences().captions).toBe(false)
  })

  it.each([
    ['no_model', '还没有安装语音模型'],
    ['off', '没有使用字幕'],
  ] as const)('cannot be switched where there are none, and say why: %s', (state, words) => {
    const store = live(state)
    expect([store.available, store.on]).toEqual([false, false])
    store.toggle()
    expect(usePreferences().captions).toBe(true)
    expect(useNotices().toasts[0]?.detail).toContain(words)
  })
})
