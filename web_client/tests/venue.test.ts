import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { effectScope, nextTick, ref } from 'vue'
import { microphoneConstraints } from '@/rtc/devices'
import { LineFigures, plotPath } from '@/rtc/line-figures'
import { useSustained } from '@/pages/room/venue/use-sustained'
import { lookAt, PictureJudge } from '@/rtc/picture-judge'
import { presetOf, processingOf, SOUND_PRESETS } from '@/rtc/sound-presets'
import { nextNumber, uniqueLabel, type KeptCamera } from '@/stores/kept-cameras'
import { venueVerdict, waitMs, type VenueFacts } from '@/stores/venue-verdict'
import { chinese, english } from '@/i18n/texts'

const well: VenueFacts = {
  link: 'connected',
  soundBlocked: false,
  helping: false,
  sentByOthers: false,
  microphone: { problem: null, interrupted: false, open: true },
  sound: { clipping: false, humming: false, silent: false, loudness: 'good' },
  ducked: false,
  camera: { state: 'good', label: '全景机位' },
  other: null,
  noCamera: null,
  paused: false,
  quality: 3,
  slow: false,
  mine: false,
}

describe('the sentence over the console', () => {
  it('says that all is well where it is', () => {
    expect(venueVerdict(well)).toEqual({ level: 'ok', key: 'good' })
    expect(venueVerdict({ ...well, mine: true })).toEqual({ level: 'ok', key: 'speaking' })
    // A hall that only listens is muted and quiet.
    expect(venueVerdict({ ...well, microphone: { ...well.microphone, open: false }, sound: null })).toMatchObject({ level: 'ok' })
  })

  it('names the gravest first', () => {
    const all: VenueFacts = { ...well, link: 'lost', ducked: true, quality: 0, camera: { state: 'no_signal', label: '全景机位' }, microphone: { problem: 'missing', interrupted: false, open: false } }
    expect(venueVerdict(all)).toMatchObject({ level: 'bad', key: 'lost', act: 'retryLink' })
    expect(venueVerdict({ ...all, link: 'connected' })).toMatchObject({ level: 'bad', key: 'microphoneMissing' })
    expect(venueVerdict({ ...all, link: 'connected', microphone: well.microphone })).toMatchObject({ level: 'bad', key: 'cameraNoSignal' })
    expect(venueVerdict({ ...well, ducked: true, quality: 0 })).toMatchObject({ level: 'warn', key: 'howl' })
    expect(venueVerdict({ ...well, quality: 1, slow: true })).toMatchObject({ level: 'warn', key: 'weak' })
    expect(venueVerdict({ ...well, slow: true, mine: true })).toMatchObject({ level: 'warn', key: 'slow' })
  })

  it('offers another camera where there is one, else the same again', () => {
    const dark: VenueFacts = { ...well, camera: { state: 'no_signal', label: '全景机位' } }
    expect(venueVerdict(dark)).toMatchObject({ act: 'reopenCamera', values: { camera: '全景机位' } })
    expect(venueVerdict({ ...dark, other: '发言席' })).toMatchObject({ act: 'useOther', values: { other: '发言席' } })
    expect(venueVerdict({ ...well, camera: null })).toMatchObject({ level: 'bad', key: 'cameraNone', act: 'findCameras' })
    expect(venueVerdict({ ...well, camera: null, noCamera: 'denied' })).toMatchObject({ key: 'cameraDenied' })
    expect(venueVerdict({ ...well, camera: { state: 'frozen', label: '幻灯片' } })).toMatchObject({ level: 'warn', key: 'cameraFrozen' })
  })

  it('says what is wrong with the sound only while the microphone is open', () => {
    const sound = { clipping: true, humming: true, silent: false, loudness: 'loud' as const }
    expect(venueVerdict({ ...well, sound })).toMatchObject({ key: 'clipping' })
    expect(venueVerdict({ ...well, sound: { ...sound, clipping: false } })).toMatchObject({ key: 'humming' })
    expect(venueVerdict({ ...well, sound, microphone: { ...well.microphone, open: false } })).toMatchObject({ key: 'good' })
    const silent = { ...sound, clipping: false, humming: false, silent: true }
    expect(venueVerdict({ ...well, sound: silent })).toMatchObject({ level: 'warn', key: 'silent' })
    expect(venueVerdict({ ...well, sound: silent, mine: true })).toMatchObject({ level: 'bad', key: 'silent' })
  })

  it('lets who only helps be, unless nobody sends', () => {
    const nothing: VenueFacts = { ...well, helping: true, camera: null, microphone: { problem: 'busy', interrupted: false, open: false } }
    expect(venueVerdict({ ...nothing, sentByOthers: true })).toEqual({ level: 'ok', key: 'helping' })
    expect(venueVerdict(nothing)).toMatchObject({ level: 'warn', key: 'nobodySends', act: 'takeOver' })
  })

  it('has words for each, in both languages', () => {
    for (const texts of [chinese, english]) {
      for (const [key, said] of Object.entries(texts.venue.verdict)) expect(said.title, key).not.toBe('')
      for (const key of ['camera', 'sound', 'act'] as const) expect(Object.values(texts.venue[key]).every(Boolean)).toBe(true)
    }
  })

  it('estimates the wait by who speaks and who is before us', () => {
    expect(waitMs(1, 40_000, true)).toBe(40_000)
    expect(waitMs(2, 60_000, true)).toBe(360_000)
    expect(waitMs(1, null, false)).toBe(0)
    expect(waitMs(1, -5000, true)).toBe(0)
  })
})

describe('the picture of a camera', () => {
  const flat = (value: number): Uint8Array => new Uint8Array(400).fill(value)
  const noisy = (step: number): Uint8Array => Uint8Array.from({ length: 400 }, (_, at) => (at * 7 + step * 13) % 200)

  it('is good while it changes', () => {
    const judge = new PictureJudge()
    for (let at = 0; at < 60; at += 1) expect(judge.take(noisy(at), at * 1000)).toBe('good')
  })

  it('is no signal when it is black or even', () => {
    const black = new PictureJudge()
    expect([0, 1, 2, 3].map((at) => black.take(flat(12), at * 1000))).toEqual(['good', 'good', 'good', 'no_signal'])
    const blue = new PictureJudge()
    expect(Array.from({ length: 7 }, (_, at) => blue.take(flat(90), at * 1000)).at(-1)).toBe('no_signal')
    expect(blue.take(noisy(1), 8000)).toBe('good')
  })

  it('is frozen when it does not change for a long time', () => {
    const judge = new PictureJudge()
    const seen = Array.from({ length: 22 }, (_, at) => judge.take(noisy(3), at * 1000))
    expect(seen[19]).toBe('good')
    expect(seen.at(-1)).toBe('frozen')
  })

  it('of a dark hall is still one', () => {
    const judge = new PictureJudge()
    const dim = (step: number): Uint8Array => Uint8Array.from({ length: 400 }, (_, at) => (at * 3 + step) % 40)
    expect(lookAt(dim(0)).mean).toBeLessThan(20)
    expect(Array.from({ length: 10 }, (_, at) => judge.take(dim(at), at * 1000)).at(-1)).toBe('good')
  })
})

describe('what a computer remembers of its cameras', () => {
  const one: KeptCamera = { number: 1, on: true, main: true }

  it('numbers new ones and never gives two the same name', () => {
    expect(nextNumber({})).toBe(1)
    expect(nextNumber({ a: one, b: { ...one, number: 3 } })).toBe(2)
    expect(uniqueLabel('发言席', ['全景机位'])).toBe('发言席')
    expect(uniqueLabel('发言席', ['发言席', '发言席 2'])).toBe('发言席 3')
  })
})

describe('sound presets', () => {
  it('are found again by what they switch', () => {
    for (const each of SOUND_PRESETS) expect(presetOf(processingOf(each))).toBe(each)
    expect(presetOf({ echoCancellation: true, noiseSuppression: false, autoGainControl: true })).toBeNull()
  })

  it('reach the microphone they were chosen for, in one channel', () => {
    const choice = { microphone: 'usb', camera: null, speaker: null, facing: 'user' as const, sound: { usb: processingOf('mixer') } }
    expect(microphoneConstraints(choice)).toEqual({
      echoCancellation: false,
      noiseSuppression: false,
      autoGainControl: false,
      channelCount: { ideal: 1 },
      deviceId: { ideal: 'usb' },
    })
    expect(microphoneConstraints({ ...choice, microphone: 'other' })).toMatchObject({ echoCancellation: true })
  })
})

describe('the figures of the line', () => {
  it('are what was sent between two looks, and the worst loss', () => {
    const figures = new LineFigures()
    expect(figures.take([{ type: 'outbound-rtp', bytesSent: 1000 }], 0)).toBeNull()
    const next = figures.take(
      [
        { type: 'outbound-rtp', bytesSent: 600_000, headerBytesSent: 26_000 },
        { type: 'remote-inbound-rtp', fractionLost: 0.01 },
        { type: 'remote-inbound-rtp', fractionLost: 0.04 },
      ],
      5000,
    )
    expect(next?.mbps).toBeCloseTo(1, 2)
    expect(next?.loss).toBeCloseTo(4)
    // Another connection begins at nothing.
    expect(figures.take([{ type: 'outbound-rtp', bytesSent: 10 }], 10_000)).toBeNull()
  })

  it('become a line that ends at the right', () => {
    expect(plotPath([0, 5], 5)).toBe('M116.6 22.0L120.0 2.0')
  })
})

describe('what has been so for a while', () => {
  beforeEach(() => vi.useFakeTimers())
  afterEach(() => vi.useRealTimers())

  it('counts only when it did not pause', async () => {
    const is = ref(true)
    const scope = effectScope()
    const sustained = scope.run(() => useSustained(() => is.value, 8000))
    vi.advanceTimersByTime(7000)
    is.value = false
    await nextTick()
    is.value = true
    await nextTick()
    vi.advanceTimersByTime(7000)
    expect(sustained?.value).toBe(false)
    vi.advanceTimersByTime(1000)
    expect(sustained?.value).toBe(true)
    is.value = false
    await nextTick()
    expect(sustained?.value).toBe(false)
    is.value = true
    await nextTick()
    scope.stop()
    vi.advanceTimersByTime(9000)
    expect(sustained?.value).toBe(false)
  })
})
