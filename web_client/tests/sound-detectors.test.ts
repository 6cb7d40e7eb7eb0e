import { describe, expect, it } from 'vitest'
import { HowlDetector, HowlGuard, isClipped, isHumming, Lasting, LoudnessWatch, onMeter, rmsDb, SilenceDetector, strongestLine, TARGET_HIGH_DB, TARGET_LOW_DB } from '@/rtc/sound-detectors'

const RATE = 48_000
const SIZE = 16_384

/** A made-up sound of sines and noise. */
function sound(tones: { hz: number; db: number }[], noiseDb = -80, count = SIZE): Float32Array {
  let seed = 7
  const noise = (): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
    return (seed / 1_073_741_824 - 1) * Math.sqrt(3)
  }
  const level = 10 ** (noiseDb / 20)
  return Float32Array.from({ length: count }, (_, at) => {
    let value = noise() * level
    for (const { hz, db } of tones) value += Math.SQRT2 * 10 ** (db / 20) * Math.sin((2 * Math.PI * hz * at) / RATE)
    return value
  })
}

/** As AnalyserNode: Blackman window, magnitude by length, in dB. Only the bins up to 10 kHz, which are all that is looked at. */
function spectrum(samples: Float32Array): Float32Array {
  const size = samples.length
  const re = new Float64Array(size)
  const im = new Float64Array(size)
  for (let at = 0; at < size; at += 1) {
    const phase = (2 * Math.PI * at) / size
    re[at] = (samples[at] ?? 0) * (0.42 - 0.5 * Math.cos(phase) + 0.08 * Math.cos(2 * phase))
  }
  fft(re, im)
  return Float32Array.from({ length: size / 2 }, (_, bin) => 20 * Math.log10(Math.hypot(re[bin] ?? 0, im[bin] ?? 0) / size + 1e-12))
}

function fft(re: Float64Array, im: Float64Array): void {
  const size = re.length
  for (let at = 1, other = 0; at < size; at += 1) {
    let bit = size >> 1
    for (; other & bit; bit >>= 1) other ^= bit
    other ^= bit
    if (at < other) {
      ;[re[at], re[other]] = [re[other] ?? 0, re[at] ?? 0]
      ;[im[at], im[other]] = [im[other] ?? 0, im[at] ?? 0]
    }
  }
  for (let length = 2; length <= size; length *= 2) {
    const angle = (-2 * Math.PI) / length
    for (let start = 0; start < size; start += length) {
      for (let at = 0; at < length / 2; at += 1) {
        const [c, s] = [Math.cos(angle * at), Math.sin(angle * at)]
        const one = start + at
        const two = one + length / 2
        const tr = (re[two] ?? 0) * c - (im[two] ?? 0) * s
        const ti = (re[two] ?? 0) * s + (im[two] ?? 0) * c
        re[two] = (re[one] ?? 0) - tr
        im[two] = (im[one] ?? 0) - ti
        re[one] = (re[one] ?? 0) + tr
        im[one] = (im[one] ?? 0) + ti
      }
    }
  }
}

/** A vowel: a voice's fundamental with falling harmonics. */
const voice = (hz: number, db = -24): { hz: number; db: number }[] => Array.from({ length: 12 }, (_, at) => ({ hz: hz * (at + 1), db: db - 3 * at }))

describe('level', () => {
  it('is that of the sound, and stands on the meter', () => {
    expect(rmsDb(sound([{ hz: 440, db: -20 }]))).toBeCloseTo(-20, 0)
    expect(onMeter(-60)).toBe(0)
    expect(onMeter(0)).toBe(1)
    expect(onMeter(TARGET_LOW_DB)).toBeLessThan(onMeter(TARGET_HIGH_DB))
  })

  it('is good, soft or loud by what is said, not by the pauses', () => {
    const watch = (speech: number): string => {
      const loudness = new LoudnessWatch()
      let said = ''
      for (let at = 0; at < 40; at += 1) said = loudness.take(at % 2 ? -70 : speech)
      return said
    }
    expect(watch(-22)).toBe('good')
    expect(watch(-40)).toBe('soft')
    expect(watch(-8)).toBe('loud')
    expect(watch(-70)).toBe('none')
  })
})

describe('clipping', () => {
  it('is told from sound that is merely loud', () => {
    const loud = sound([{ hz: 300, db: -4 }], -90, 4096)
    expect(isClipped(loud)).toBe(false)
    const cut = loud.map((each) => Math.max(-1, Math.min(1, each * 3)))
    expect(isClipped(cut)).toBe(true)
  })

  it('stays said until none was heard for a while', () => {
    const lasting = new Lasting(3, 20)
    expect([true, true].map((each) => lasting.take(each)).at(-1)).toBe(false)
    expect(lasting.take(true)).toBe(true)
    for (let at = 0; at < 19; at += 1) expect(lasting.take(false)).toBe(true)
    expect(lasting.take(false)).toBe(false)
  })
})

describe('hum', () => {
  it('is heard at 50 Hz and its multiples, beside a voice as well', () => {
    const hum = [50, 100, 150].map((hz, at) => ({ hz, db: -44 - 4 * at }))
    expect(isHumming(spectrum(sound(hum)), RATE)).toBe(true)
    expect(isHumming(spectrum(sound([...hum, ...voice(211)])), RATE)).toBe(true)
  })

  it('is also that of countries with 60 Hz', () => {
    expect(isHumming(spectrum(sound([60, 120, 180].map((hz) => ({ hz, db: -45 })))), RATE)).toBe(true)
  })

  it('is neither noise, nor a deep voice, nor one tone', () => {
    expect(isHumming(spectrum(sound([], -50)), RATE)).toBe(false)
    expect(isHumming(spectrum(sound(voice(87))), RATE)).toBe(false)
    expect(isHumming(spectrum(sound([{ hz: 100, db: -30 }])), RATE)).toBe(false)
  })

  it('is not judged by a spectrum that is too coarse', () => {
    expect(isHumming(new Float32Array(1024).fill(-20), RATE)).toBe(false)
  })
})

describe('howl', () => {
  const run = (spectra: Float32Array[]): boolean[] => {
    const detector = new HowlDetector()
    return spectra.map((each) => detector.take(each, RATE))
  }

  it('is one line that stays, and is known in less than a second', () => {
    const howling = run(Array.from({ length: 10 }, () => spectrum(sound([{ hz: 1234, db: -18 }], -60))))
    expect(howling.indexOf(true)).toBe(7)
  })

  it('is known also where it has reached full scale and has multiples', () => {
    const line = spectrum(sound([{ hz: 2000, db: -6 }, { hz: 6000, db: -16 }], -70))
    expect(strongestLine(line, RATE).share).toBeGreaterThan(0.85)
    expect(run(Array.from({ length: 9 }, () => line)).at(-1)).toBe(true)
  })

  it('is no voice that holds a vowel, and no whistle that moves', () => {
    expect(run(Array.from({ length: 20 }, () => spectrum(sound(voice(180)))))).not.toContain(true)
    expect(run(Array.from({ length: 20 }, (_, at) => spectrum(sound([{ hz: 900 + 60 * at, db: -18 }], -70))))).not.toContain(true)
  })

  it('is over when it was quiet for a while', () => {
    const howl = spectrum(sound([{ hz: 1234, db: -18 }], -60))
    const quiet = spectrum(sound([], -70))
    const said = run([...Array.from({ length: 10 }, () => howl), ...Array.from({ length: 12 }, () => quiet)])
    expect(said.at(-2)).toBe(true)
    expect(said.at(-1)).toBe(false)
  })
})

describe('the guard against howls', () => {
  /** Ten looks a second. */
  const pass = (guard: HowlGuard, howling: boolean, fromMs: number, forMs: number): number => {
    let gain = guard.gain
    for (let at = fromMs; at < fromMs + forMs; at += 100) gain = guard.take(howling, at)
    return gain
  }

  it('turns the loudspeakers down at once, holds, and brings them back slowly', () => {
    const guard = new HowlGuard()
    expect(pass(guard, false, 0, 1000)).toBe(1)
    expect(guard.take(true, 1000)).toBe(0.25)
    expect(pass(guard, false, 1100, 5900)).toBe(0.25)
    const rising = pass(guard, false, 7100, 3000)
    expect(rising).toBeGreaterThan(0.3)
    expect(rising).toBeLessThan(0.6)
    expect(pass(guard, false, 10_100, 20_000)).toBe(1)
  })

  it('allows less where it howled again on the way, until the operator turns something', () => {
    const guard = new HowlGuard()
    guard.take(true, 1000)
    const reached = pass(guard, false, 1100, 11_000)
    guard.take(true, 12_100)
    const allowed = pass(guard, false, 12_200, 60_000)
    expect(allowed).toBeLessThan(reached)
    guard.release()
    expect(pass(guard, false, 80_000, 30_000)).toBe(1)
  })
})

describe('silence', () => {
  it('is a line that brings nothing at all for long enough', () => {
    const silence = new SilenceDetector()
    expect(silence.take(-95, 0, 8000)).toBe(false)
    expect(silence.take(-95, 7900, 8000)).toBe(false)
    expect(silence.take(-95, 8000, 8000)).toBe(true)
    expect(silence.take(-60, 8100, 8000)).toBe(false)
    expect(silence.take(-95, 8200, 8000)).toBe(false)
  })

  it('is never said of a hall that may be quiet', () => {
    const silence = new SilenceDetector()
    silence.take(-95, 0, Infinity)
    expect(silence.take(-95, 600_000, Infinity)).toBe(false)
  })
})
