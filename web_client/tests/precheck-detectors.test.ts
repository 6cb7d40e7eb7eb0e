import { describe, expect, it } from 'vitest'
import { clockOf, lineOf, lossBetween } from '@/rtc/precheck/line'
import { brightness, difference, lightOf, PictureWatch, SAMPLE_HEIGHT, SAMPLE_WIDTH } from '@/rtc/precheck/picture'
import { clippedSamples, SILENCE_DBFS, SoundWatch } from '@/rtc/precheck/sound'
import { BEFORE_S, hearTone, isHeard, LONGEST_DELAY_S, NOTES, TONE_S, toneSamples } from '@/rtc/precheck/tone'

const RATE = 48_000

/** The same numbers each time. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function noise(seconds: number, level: number, seed = 1): Float32Array {
  const next = random(seed)
  return Float32Array.from({ length: Math.round(seconds * RATE) }, () => (next() * 2 - 1) * level)
}

/** A voice: a wandering pitch with many overtones, in syllables with gaps. */
function voice(seconds: number, level: number, seed = 1): Float32Array {
  const next = random(seed)
  const samples = new Float32Array(Math.round(seconds * RATE))
  let [phase, pitch, open] = [0, 150, true]
  for (let at = 0; at < samples.length; at += 1) {
    if (at % Math.round(0.18 * RATE) === 0) {
      pitch = 110 + 160 * next()
      open = next() > 0.25
    }
    phase += pitch / RATE
    let value = 0
    for (let overtone = 1; overtone <= 12; overtone += 1) value += Math.sin(2 * Math.PI * overtone * phase) / overtone
    samples[at] = open ? value * level * 0.5 : 0
  }
  return samples
}

function mixed(...parts: Float32Array[]): Float32Array {
  return Float32Array.from({ length: Math.max(...parts.map((each) => each.length)) }, (_, at) => parts.reduce((sum, each) => sum + (each[at] ?? 0), 0))
}

/** What a microphone hears of the tone: later, quieter. */
function played(delayS: number, gain: number): Float32Array {
  const tone = toneSamples(RATE)
  const whole = new Float32Array(Math.round((BEFORE_S + TONE_S + LONGEST_DELAY_S + 0.5) * RATE))
  const first = Math.round((BEFORE_S + delayS) * RATE)
  tone.forEach((sample, at) => {
    if (first + at < whole.length) whole[first + at] = sample * gain
  })
  return whole
}

function heard(channels: Float32Array[]): ReturnType<SoundWatch['figures']> {
  const watch = new SoundWatch(RATE)
  const length = channels[0]?.length ?? 0
  for (let at = 0; at < length; at += 2048) watch.add(channels.map((each) => each.subarray(at, at + 2048)))
  return watch.figures()
}

function picture(of: (x: number, y: number) => number): Uint8Array {
  return Uint8Array.from({ length: SAMPLE_WIDTH * SAMPLE_HEIGHT }, (_, at) => of(at % SAMPLE_WIDTH, Math.floor(at / SAMPLE_WIDTH)))
}

describe('pictures', () => {
  it('are weighed as eyes do', () => {
    expect([...brightness(Uint8ClampedArray.of(255, 255, 255, 255, 0, 0, 0, 255, 0, 255, 0, 255))]).toEqual([255, 0, 149])
  })

  it('are dark, bright or of one colour', () => {
    expect(lightOf(picture(() => 9))).toEqual({ mean: 9, contrast: 0, bright_share: 0 })
    const half = lightOf(picture((x) => (x < SAMPLE_WIDTH / 2 ? 255 : 5)))
    expect([half.mean, half.contrast, half.bright_share]).toEqual([130, 125, 0.5])
  })

  it('that stand still are told from those of a quiet room by the noise of the camera', () => {
    const [frozen, quiet] = [new PictureWatch(), new PictureWatch()]
    const next = random(7)
    for (let at = 0; at <= 4000; at += 100) {
      frozen.add(picture((x, y) => x + y), at)
      quiet.add(picture((x, y) => x + y + (next() > 0.9 ? 1 : 0)), at)
    }
    expect([frozen.stillMs, frozen.watchedMs]).toEqual([4000, 4000])
    expect(quiet.stillMs).toBe(0)
  })

  it('that stop halfway count from there', () => {
    const watch = new PictureWatch()
    for (let at = 0; at <= 4000; at += 100) watch.add(picture((x) => (x + Math.min(at, 1000) / 100) % 200), at)
    expect(watch.stillMs).toBe(3000)
    expect(new PictureWatch().light).toBeNull()
  })

  it('differ by the mean over all of them', () => {
    expect(difference(Uint8Array.of(10, 20), Uint8Array.of(12, 20))).toBe(1)
  })
})

describe('sound', () => {
  it('has a level of speech and one of noise', () => {
    const speech = mixed(voice(6, 0.3), noise(6, 0.001, 3))
    const found = heard([speech])
    expect(found.speech_dbfs).toBeGreaterThan(-20)
    expect(found.noise_dbfs).toBeLessThan(-60)
    expect(found.clipped_share).toBe(0)
    expect([found.left_dbfs, found.right_dbfs]).toEqual([null, null])
    expect(found.heard_ms).toBe(6000)
  })

  it('is silent where nothing comes', () => {
    expect(heard([new Float32Array(RATE)]).speech_dbfs).toBe(SILENCE_DBFS)
    expect(new SoundWatch(RATE).figures().speech_dbfs).toBe(SILENCE_DBFS)
  })

  it('is clipped where its tops are cut off, and not where one sample is full', () => {
    const loud = voice(3, 3).map((each) => Math.max(-1, Math.min(1, each)))
    expect(heard([loud]).clipped_share).toBeGreaterThan(0.05)
    expect(clippedSamples(Float32Array.of(0, 1, 0, -1, 0, 1, 1, 0))).toBe(0)
    expect(clippedSamples(Float32Array.of(0, 1, 1, 1, -1, -1, -1, -1))).toBe(7)
    expect(heard([voice(3, 0.3)]).clipped_share).toBe(0)
  })

  it('is of both sides or of one', () => {
    const speech = voice(2, 0.3)
    const [both, one] = [heard([speech, speech]), heard([speech, new Float32Array(speech.length)])]
    expect(both.left_dbfs).toBeCloseTo(both.right_dbfs ?? 0)
    expect(one.right_dbfs).toBe(SILENCE_DBFS)
    expect(one.speech_dbfs).toBeCloseTo(both.speech_dbfs)
  })
})

describe('the test tone', () => {
  it.each([
    [0, 1],
    [0.04, 0.3],
    [0.31, 0.05],
    [1.1, 0.02],
  ])('is heard %f s late at %f of its level, over the noise of a hall', (delay, gain) => {
    const found = hearTone(mixed(played(delay, gain), noise(3.6, 0.002)), RATE, BEFORE_S)
    expect(found.notes).toBe(NOTES)
    expect(found.aboveNoiseDb).toBeGreaterThan(10)
    const sine = 20 * Math.log10(0.35 * gain) - 3
    expect(found.levelDbfs).toBeGreaterThan(sine - 3)
    expect(found.levelDbfs).toBeLessThan(sine + 1)
  })

  it('is not heard in noise, silence or speech', () => {
    expect(hearTone(new Float32Array(4 * RATE), RATE, BEFORE_S)).toMatchObject({ notes: 0, levelDbfs: null })
    expect(isHeard(hearTone(noise(4, 0.1), RATE, BEFORE_S).notes)).toBe(false)
    for (let seed = 1; seed <= 12; seed += 1) {
      const found = hearTone(mixed(voice(4, 0.3, seed), noise(4, 0.002, seed)), RATE, BEFORE_S)
      expect(isHeard(found.notes), `voice ${seed}`).toBe(false)
      expect(found.levelDbfs).toBeNull()
    }
  }, 30_000)

  it('is heard beside somebody who whispers', () => {
    expect(isHeard(hearTone(mixed(played(0.1, 0.3), voice(3.6, 0.02, 5)), RATE, BEFORE_S).notes)).toBe(true)
  })

  it('has to come in its order', () => {
    const backwards = played(0.1, 0.5).reverse()
    expect(isHeard(hearTone(backwards, RATE, BEFORE_S).notes)).toBe(false)
  })

  it('costs little time to look for', () => {
    const began = performance.now()
    hearTone(noise(4, 0.1), RATE, BEFORE_S)
    expect(performance.now() - began).toBeLessThan(4000)
  })
})

describe('a line', () => {
  const counts = (sent: number, received: number, lost: number, rttMs: number | null) => ({ sent, received, lost, rttMs })

  it('is what several connections counted together', () => {
    expect(lineOf([counts(400, 361, 19, 40), counts(600, 551, 19, 60)])).toEqual({ up_loss: 0.05, down_loss: 0.04, rtt_ms: 50 })
    expect(lineOf([])).toEqual({ up_loss: null, down_loss: null, rtt_ms: null })
    expect(lineOf([counts(100, 100, 0, null)])).toEqual({ up_loss: 0, down_loss: 0, rtt_ms: null })
  })

  it('loses between two looks what did not come back', () => {
    expect(lossBetween(counts(100, 100, 0, 1), counts(200, 190, 5, 1))).toBeCloseTo(0.1)
    expect(lossBetween(counts(100, 90, 0, 1), counts(200, 195, 5, 1))).toBe(0)
    expect(lossBetween(counts(100, 90, 0, 1), counts(100, 90, 5, 1))).toBeNull()
  })
})

describe('a clock', () => {
  it('is compared by the quickest answer', () => {
    const ticks = [
      { askedAt: 1000, answeredAt: 1400, serverMs: 900 },
      { askedAt: 2000, answeredAt: 2020, serverMs: 1010 },
    ]
    expect(clockOf(ticks)).toEqual({ offset_ms: 1000, uncertainty_ms: 10 })
    expect(clockOf([])).toBeNull()
  })
})
