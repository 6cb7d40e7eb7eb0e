/** The microphone of a hall without the browser's processing, and a tone from its loudspeakers that comes back in it. */
import type { FiguresOf, ProblemName } from '@/api/precheck'
import { captureProblem, problemOf, readChoice } from '../devices'
import { Recorder, runningContext, type Piece } from './recorder'
import { joined, SILENCE_DBFS, SoundWatch } from './sound'
import { BEFORE_S, hearTone, isHeard, LONGEST_DELAY_S, NOTES, TONE_S, toneSamples, type HeardTone } from './tone'
import { pause, StoppedError } from './waiting'

const TELL_EVERY_MS = 100
/** Devices and cancellation begin with a moment that means nothing. */
const SETTLE_MS = 600
const LEAD_S = 0.15

interface Opened {
  track: MediaStreamTrack
  context: AudioContext
}

type Sinkable = AudioContext & { setSinkId?: (id: string) => Promise<void> }

/** `told`: how far it is, 0 to 1, and how loud it is now. */
export async function listen(lastsMs: number, stop: AbortSignal, told: (part: number, dbfs: number) => void): Promise<FiguresOf['microphone']> {
  const opened = await open(false, stop)
  if (typeof opened === 'string') {
    return { problem: opened, speech_dbfs: SILENCE_DBFS, noise_dbfs: SILENCE_DBFS, clipped_share: 0, left_dbfs: null, right_dbfs: null, heard_ms: 0 }
  }
  const { track, context } = opened
  let watch: SoundWatch | null = null
  const recorder = await Recorder.open(context, track, ({ channels }) => watch?.add(channels))
  try {
    await pause(SETTLE_MS, stop)
    const own = (watch = new SoundWatch(context.sampleRate))
    const began = performance.now()
    while (performance.now() - began < lastsMs) {
      await pause(TELL_EVERY_MS, stop)
      told(Math.min(1, (performance.now() - began) / lastsMs), own.level)
    }
    return { problem: '', ...own.figures() }
  } finally {
    recorder.close()
    track.stop()
  }
}

export interface Toned extends HeardTone {
  played: boolean
}

const UNPLAYED: Toned = { played: false, notes: 0, aboveNoiseDb: 0, levelDbfs: null }

/**
 * Plays the tone and listens for it. With `cancelling` echo cancellation works, and only that: noise suppression would take out a tone by
 * itself. It is played `times` times, the last one counts: cancellation first has to find the echo.
 */
export async function playTone(cancelling: boolean, times: number, stop: AbortSignal, told: (part: number) => void): Promise<Toned> {
  const opened = await open(cancelling, stop)
  if (typeof opened === 'string') return UNPLAYED
  const { track, context } = opened
  const speaker = readChoice().speaker
  const sinkable = context as Sinkable
  if (speaker && sinkable.setSinkId) await sinkable.setSinkId(speaker).catch(() => undefined)
  const pieces: Piece[] = []
  const recorder = await Recorder.open(context, track, (piece) => pieces.push(piece))
  const sources: AudioBufferSourceNode[] = []
  try {
    await pause(SETTLE_MS + BEFORE_S * 1000, stop)
    const buffer = context.createBuffer(1, toneSamples(context.sampleRate).length, context.sampleRate)
    buffer.copyToChannel(toneSamples(context.sampleRate) as Float32Array<ArrayBuffer>, 0)
    // Between two of them there is time for the last one to come back, and to hear how loud it is without.
    const period = TONE_S + LONGEST_DELAY_S + BEFORE_S
    const first = context.currentTime + LEAD_S
    for (let turn = 0; turn < times; turn += 1) {
      const source = context.createBufferSource()
      source.buffer = buffer
      source.connect(context.destination)
      source.start(first + turn * period)
      sources.push(source)
    }
    const began = first + (times - 1) * period
    const end = began + TONE_S + LONGEST_DELAY_S + LEAD_S
    while (context.currentTime < end) {
      await pause(TELL_EVERY_MS, stop)
      if (context.state !== 'running') return UNPLAYED
      told(Math.min(1, Math.max(0, (context.currentTime - first) / (end - first))))
    }
    return { played: true, ...heardIn(pieces, context.sampleRate, began) }
  } finally {
    for (const source of sources) source.disconnect()
    recorder.close()
    track.stop()
  }
}

export function loudspeakerFigures(tone: Toned): FiguresOf['loudspeaker'] {
  const above = Math.min(40, Math.max(-40, tone.aboveNoiseDb))
  return { played: tone.played, notes_played: NOTES, notes_heard: tone.notes, above_noise_db: above }
}

/** `direct`: without cancellation, `back`: with it. */
export function echoFigures(direct: Toned, back: Toned): FiguresOf['echo'] {
  const level = (tone: Toned): number | null => (isHeard(tone.notes) ? tone.levelDbfs : null)
  return { played: direct.played && back.played, direct_dbfs: level(direct), return_dbfs: level(back) }
}

function heardIn(pieces: Piece[], rate: number, began: number): HeardTone {
  const kept = pieces.filter((piece) => piece.channels.length > 0)
  const zero = kept[0]?.at ?? began
  const channels = kept.map(({ channels }) => louder(channels))
  const recording = joined(channels, channels.reduce((sum, each) => sum + each.length, 0))
  return hearTone(recording, rate, began - zero)
}

function louder(channels: Float32Array[]): Float32Array {
  const power = (samples: Float32Array): number => samples.reduce((sum, each) => sum + each * each, 0)
  return channels.reduce((best, each) => (power(each) > power(best) ? each : best))
}

async function open(cancelling: boolean, stop: AbortSignal): Promise<Opened | ProblemName> {
  const problem = captureProblem()
  if (problem) return problem
  const { microphone } = readChoice()
  const wish: MediaTrackConstraints = {
    echoCancellation: cancelling,
    noiseSuppression: false,
    autoGainControl: false,
    channelCount: { ideal: 2 },
    ...(microphone ? { deviceId: { ideal: microphone } } : {}),
  }
  let track: MediaStreamTrack | undefined
  try {
    track = (await navigator.mediaDevices.getUserMedia({ audio: wish })).getAudioTracks()[0]
  } catch (error) {
    return problemOf(error)
  }
  if (!track) return 'missing'
  if (stop.aborted) {
    track.stop()
    throw new StoppedError()
  }
  const context = await runningContext()
  if (context) return { track, context }
  track.stop()
  return 'unsupported'
}
