/** Listens to the venue's own microphone ten times a second and tells what is wrong with its sound. */
import { audioContext } from './audio-context'
import { HowlDetector, isClipped, isHumming, Lasting, LoudnessWatch, peakOf, rmsDb, SilenceDetector, type Loudness } from './sound-detectors'

export interface HeardSound {
  db: number
  /** 0 to 1 of full scale */
  peak: number
  loudness: Loudness
  clipping: boolean
  humming: boolean
  howling: boolean
  /** nothing at all comes */
  silent: boolean
}

const PERIOD_MS = 100
const LEVEL_SAMPLES = 4096
/** wide enough to tell 50 Hz from 100 Hz */
const SPECTRUM_SAMPLES = 16_384
const SETTLED_MS = 1000

export class HallEar {
  private readonly nodes: AudioNode[] = []
  private readonly timer: ReturnType<typeof setInterval> | undefined

  /** `patience`: after how many milliseconds without any sound it counts as missing. */
  constructor(track: MediaStreamTrack, heard: (sound: HeardSound) => void, patience: () => number) {
    const context = audioContext()
    if (!context) return
    const source = context.createMediaStreamSource(new MediaStream([track]))
    const level = context.createAnalyser()
    level.fftSize = LEVEL_SAMPLES
    const spectrum = context.createAnalyser()
    spectrum.fftSize = SPECTRUM_SAMPLES
    spectrum.smoothingTimeConstant = 0.3
    source.connect(level)
    source.connect(spectrum)
    this.nodes.push(source, level, spectrum)
    const samples = new Float32Array(LEVEL_SAMPLES)
    const bins = new Float32Array(spectrum.frequencyBinCount)
    const clipped = new Lasting(3, 20)
    const hum = new Lasting(25, 40)
    const howl = new HowlDetector()
    const silence = new SilenceDetector()
    const loudness = new LoudnessWatch()
    const began = performance.now()
    this.timer = setInterval(() => {
      // A context that may not run yet, or a track that is switched off, says nothing about the hall.
      if (context.state !== 'running' || !track.enabled || track.muted) return
      const now = performance.now()
      level.getFloatTimeDomainData(samples)
      const db = rmsDb(samples)
      const settled = now - began > SETTLED_MS
      if (settled) spectrum.getFloatFrequencyData(bins)
      heard({
        db,
        peak: peakOf(samples),
        loudness: loudness.take(db),
        clipping: clipped.take(isClipped(samples)),
        humming: settled && hum.take(isHumming(bins, context.sampleRate)),
        howling: settled && howl.take(bins, context.sampleRate),
        silent: silence.take(db, now, patience()),
      })
    }, PERIOD_MS)
  }

  stop(): void {
    clearInterval(this.timer)
    for (const each of this.nodes) each.disconnect()
  }
}
