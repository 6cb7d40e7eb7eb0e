/**
 * What is wrong with a hall's sound, told from an analyser's data: pure, so that it is tested with made-up sound. Levels are dB below full
 * scale, spectra dB per bin as AnalyserNode gives them. Each detector is fed at an even pace and keeps what it needs to be sure.
 */

/** Where speech should be: louder distorts, softer is hard to follow. */
export const TARGET_LOW_DB = -32
export const TARGET_HIGH_DB = -14
/** what a meter shows */
export const METER_FLOOR_DB = -60
export const METER_CEILING_DB = 0

export function rmsDb(samples: Float32Array): number {
  let sum = 0
  for (const sample of samples) sum += sample * sample
  return 10 * Math.log10(sum / Math.max(1, samples.length) + 1e-12)
}

export function peakOf(samples: Float32Array): number {
  let peak = 0
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample))
  return peak
}

/** 0 to 1 on the meter. */
export function onMeter(db: number): number {
  return Math.min(1, Math.max(0, (db - METER_FLOOR_DB) / (METER_CEILING_DB - METER_FLOOR_DB)))
}

const FULL = 0.985
const FLAT_RUN = 3

/** Whether the tops of the waves are cut off: several samples in a row at full scale. */
export function isClipped(samples: Float32Array): boolean {
  let run = 0
  for (const sample of samples) {
    run = Math.abs(sample) >= FULL ? run + 1 : 0
    if (run >= FLAT_RUN) return true
  }
  return false
}

/** Something that is so in enough of the last looks; gone when it was not so for as many. */
export class Lasting {
  private readonly looks: boolean[] = []
  private on = false

  /** `needed` of the last `kept` looks make it so; none of them ends it. */
  constructor(
    private readonly needed: number,
    private readonly kept: number,
  ) {}

  take(now: boolean): boolean {
    this.looks.push(now)
    if (this.looks.length > this.kept) this.looks.shift()
    const count = this.looks.filter(Boolean).length
    if (count >= this.needed) this.on = true
    else if (count === 0) this.on = false
    return this.on
  }

  reset(): void {
    this.looks.length = 0
    this.on = false
  }
}

const MAINS = [50, 60]
const HARMONICS = 4
const HUM_PROMINENCE_DB = 14
const HUM_AUDIBLE_DB = -72

/** Hum of the mains: lines at 50 Hz (60 Hz elsewhere) and its multiples that stand out of what is beside them. */
export function isHumming(spectrumDb: Float32Array, sampleRate: number): boolean {
  const width = sampleRate / 2 / spectrumDb.length
  // Coarser bins cannot tell 100 Hz from a deep voice.
  if (width > 6) return false
  const at = (hz: number): number => spectrumDb[Math.round(hz / width)] ?? -Infinity
  const line = (hz: number): number => Math.max(at(hz - width), at(hz), at(hz + width))
  return MAINS.some((mains) => {
    let standing = 0
    for (let harmonic = 1; harmonic <= HARMONICS; harmonic += 1) {
      const hz = mains * harmonic
      const beside = Math.max(at(hz - mains / 2), at(hz + mains / 2))
      if (line(hz) > HUM_AUDIBLE_DB && line(hz) - beside > HUM_PROMINENCE_DB) standing += 1
    }
    // One line alone may be a tone; a hum has its second or third as well.
    return standing >= 2
  })
}

const HOWL_FROM_HZ = 180
const HOWL_TO_HZ = 9000
/** A square wave, which is what a howl at full scale is, has 0.81 in its first line; of a voice's vowel it is half. */
const HOWL_SHARE = 0.75
const HOWL_DB = -42
const LINE_HALF_HZ = 18

export interface Line {
  hz: number
  db: number
  /** how much of all sound in the band is in this line, 0 to 1 */
  share: number
}

/** The strongest narrow line of a spectrum within the band in which halls howl. */
export function strongestLine(spectrumDb: Float32Array, sampleRate: number): Line {
  const width = sampleRate / 2 / spectrumDb.length
  const from = Math.max(1, Math.floor(HOWL_FROM_HZ / width))
  const to = Math.min(spectrumDb.length - 1, Math.ceil(HOWL_TO_HZ / width))
  let best = from
  let total = 0
  for (let bin = from; bin <= to; bin += 1) {
    if ((spectrumDb[bin] ?? -Infinity) > (spectrumDb[best] ?? -Infinity)) best = bin
    total += 10 ** ((spectrumDb[bin] ?? -Infinity) / 10)
  }
  const reach = Math.max(2, Math.ceil(LINE_HALF_HZ / width))
  let inLine = 0
  for (let bin = Math.max(from, best - reach); bin <= Math.min(to, best + reach); bin += 1) inLine += 10 ** ((spectrumDb[bin] ?? -Infinity) / 10)
  return { hz: best * width, db: spectrumDb[best] ?? -Infinity, share: total > 0 ? Math.min(1, inLine / total) : 0 }
}

const SAME_HZ = 25
const HOWL_LOOKS = 8
const HOWL_GONE = 12

/**
 * Feedback: one narrow line that carries nearly all of the sound and stays where it is. A voice moves and has neighbours; a howl does not
 * move. Fed ten times a second it takes less than a second to be sure.
 */
export class HowlDetector {
  private hz = 0
  private same = 0
  private quiet = 0
  private on = false

  take(spectrumDb: Float32Array, sampleRate: number): boolean {
    const line = strongestLine(spectrumDb, sampleRate)
    const suspicious = line.db > HOWL_DB && line.share > HOWL_SHARE
    if (!suspicious) {
      this.same = 0
      this.quiet += 1
      if (this.quiet >= HOWL_GONE) this.on = false
      return this.on
    }
    this.quiet = 0
    this.same = Math.abs(line.hz - this.hz) <= SAME_HZ ? this.same + 1 : 1
    this.hz = line.hz
    if (this.same >= HOWL_LOOKS) this.on = true
    return this.on
  }
}

const NOTHING_DB = -78
const QUIET_MS = 20_000

/** A microphone that is open and brings nothing at all: not a silent hall, which always has some noise, but a dead line. */
export class SilenceDetector {
  private sinceMs: number | null = null

  /** `patience_ms`: who is expected to speak is missed sooner. */
  take(db: number, atMs: number, patienceMs = QUIET_MS): boolean {
    if (db > NOTHING_DB) {
      this.sinceMs = null
      return false
    }
    this.sinceMs ??= atMs
    return atMs - this.sinceMs >= patienceMs
  }

  reset(): void {
    this.sinceMs = null
  }
}

export type Loudness = 'none' | 'soft' | 'good' | 'loud'

const SPEECH_DB = -55
const REMEMBERED = 40

/** How loud the hall speaks: by the louder half of the last four seconds, so that pauses between words count for nothing. */
export class LoudnessWatch {
  private readonly levels: number[] = []

  take(db: number): Loudness {
    this.levels.push(db)
    if (this.levels.length > REMEMBERED) this.levels.shift()
    const voiced = this.levels.filter((each) => each > SPEECH_DB).sort((one, two) => two - one)
    // A cough or a chair is no speech.
    if (voiced.length < 6) return 'none'
    const middle = voiced[Math.floor(voiced.length / 4)] ?? SPEECH_DB
    return middle < TARGET_LOW_DB ? 'soft' : middle > TARGET_HIGH_DB ? 'loud' : 'good'
  }
}

const DUCKED = 0.25
const HOLD_MS = 6000
const RISE_PER_S = 0.08

/**
 * How loud the hall may hear the others: at a howl the loudspeakers go down at once, stay down for a while, and come back slowly. Where it
 * howls again on the way, less is allowed from then on.
 */
export class HowlGuard {
  private ceiling = 1
  private held = -Infinity
  private last = 0
  private howls = false
  gain = 1

  take(howling: boolean, atMs: number): number {
    const passedS = Math.max(0, Math.min(1, (atMs - this.last) / 1000))
    this.last = atMs
    if (howling) {
      if (!this.howls && this.gain < this.ceiling) this.ceiling = Math.max(DUCKED, this.gain * 0.8)
      else if (!this.howls && this.gain === this.ceiling && this.ceiling < 1) this.ceiling = Math.max(DUCKED, this.ceiling * 0.8)
      this.gain = Math.min(this.gain, DUCKED)
      this.held = atMs
    } else if (atMs - this.held > HOLD_MS) {
      this.gain = Math.min(this.ceiling, this.gain + RISE_PER_S * passedS)
    }
    this.howls = howling
    return this.gain
  }

  /** The operator has turned something: everything is allowed again. */
  release(): void {
    this.ceiling = 1
  }
}
