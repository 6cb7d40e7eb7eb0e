/**
 * A test tone of eight notes, and whether a microphone heard it. Speech has all of these pitches now and then, but not one after the other
 * in this order: most of the notes have to be there, each at its time and alone. Pure.
 */
import { SILENCE_DBFS } from './sound'

/** No note is an overtone of another. */
const PITCHES = [740, 932, 1175, 1397] as const
const MELODY = [0, 2, 1, 3, 1, 0, 3, 2] as const
export const NOTES = MELODY.length
const NOTE_S = 0.22
const FADE_S = 0.015
const LOUD = 0.35
/** of a note, that is listened to: its middle */
const WINDOW_S = 0.12
const WINDOW_AT_S = 0.06
/** So late a tone may come back: buffers of loudspeaker and microphone, wireless ones above all. */
export const LONGEST_DELAY_S = 1.2
const STEP_S = 0.02
const ABOVE_NOISE_DB = 8
const ABOVE_OTHERS_DB = 6
/** what is listened to before the tone begins */
export const BEFORE_S = 0.6

export const TONE_S = NOTES * NOTE_S

export interface HeardTone {
  notes: number
  /** median over the notes */
  aboveNoiseDb: number
  /** mean over the notes that were heard; null when too few were */
  levelDbfs: number | null
}

/** The tone at that rate, as it is to be played. */
export function toneSamples(rate: number): Float32Array {
  const samples = new Float32Array(Math.round(TONE_S * rate))
  MELODY.forEach((pitch, note) => {
    const first = Math.round(note * NOTE_S * rate)
    const length = Math.round(NOTE_S * rate)
    for (let at = 0; at < length && first + at < samples.length; at += 1) {
      const seconds = at / rate
      const envelope = Math.min(1, seconds / FADE_S, Math.max(0, NOTE_S - seconds) / FADE_S)
      samples[first + at] = LOUD * envelope * Math.sin(2 * Math.PI * PITCHES[pitch] * seconds)
    }
  })
  return samples
}

/** The power of one pitch (Goertzel, Hann window), so that a full sine has -3 dB. */
export function pitchPower(samples: Float32Array, first: number, window: Float32Array, rate: number, hertz: number): number {
  const length = window.length
  const omega = (2 * Math.PI * hertz) / rate
  const twice = 2 * Math.cos(omega)
  let [before, last] = [0, 0]
  for (let at = 0; at < length; at += 1) {
    const now = (samples[first + at] ?? 0) * (window[at] ?? 0) + twice * last - before
    before = last
    last = now
  }
  const power = last * last + before * before - twice * last * before
  // Half of the window's sum is the amplitude; the square of that, halved, is the power.
  return (2 * power) / (0.5 * length) ** 2
}

function hann(length: number): Float32Array {
  return Float32Array.from({ length }, (_, at) => 0.5 - 0.5 * Math.cos((2 * Math.PI * at) / length))
}

const inDecibels = (power: number): number => (power > 0 ? Math.max(SILENCE_DBFS, 10 * Math.log10(power)) : SILENCE_DBFS)

/** `beginS`: when the tone began to play, on the time of the recording, which began at least BEFORE_S earlier. */
export function hearTone(recording: Float32Array, rate: number, beginS: number): HeardTone {
  const window = hann(Math.round(WINDOW_S * rate))
  const noise = PITCHES.map((hertz) => noiseAt(recording, rate, beginS, hertz, window))
  let best: HeardTone = { notes: 0, aboveNoiseDb: 0, levelDbfs: null }
  let bestSum = -Infinity
  for (let delay = 0; delay <= LONGEST_DELAY_S; delay += STEP_S) {
    const [levels, above]: [number[], number[]] = [[], []]
    MELODY.forEach((pitch, note) => {
      const first = Math.round((beginS + delay + note * NOTE_S + WINDOW_AT_S) * rate)
      const powers = PITCHES.map((hertz) => inDecibels(pitchPower(recording, first, window, rate, hertz)))
      const own = powers[pitch] ?? SILENCE_DBFS
      const others = Math.max(...powers.filter((_, each) => each !== pitch))
      const over = own - (noise[pitch] ?? 0)
      above.push(over)
      if (over >= ABOVE_NOISE_DB && own - others >= ABOVE_OTHERS_DB) levels.push(own)
    })
    const sum = above.reduce((total, each) => total + each, 0)
    if (levels.length > best.notes || (levels.length === best.notes && sum > bestSum)) {
      bestSum = sum
      best = { notes: levels.length, aboveNoiseDb: median(above), levelDbfs: isHeard(levels.length) ? mean(levels) : null }
    }
  }
  return best
}

/** Three of four: one may fall into a cough. */
export function isHeard(notes: number): boolean {
  return notes * 4 >= NOTES * 3
}

/** How loud a pitch is before the tone begins: the loudest of some moments. */
function noiseAt(recording: Float32Array, rate: number, beginS: number, hertz: number, window: Float32Array): number {
  let loudest = SILENCE_DBFS
  const from = Math.max(0, Math.round((beginS - BEFORE_S) * rate))
  for (let first = from; first + window.length <= beginS * rate; first += window.length) {
    loudest = Math.max(loudest, inDecibels(pitchPower(recording, first, window, rate, hertz)))
  }
  return loudest
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, each) => sum + each, 0) / Math.max(1, values.length)
}

function median(values: readonly number[]): number {
  return [...values].sort((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0
}
