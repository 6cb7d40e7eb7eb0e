/** How loud a microphone is, 0 to 1, ten times a second. */
import { audioContext } from './audio-context'

const PERIOD_MS = 100
const FLOOR_DB = -60
const CEILING_DB = -12

export class LevelMeter {
  private readonly source: MediaStreamAudioSourceNode | null = null
  private readonly timer: ReturnType<typeof setInterval> | undefined

  constructor(track: MediaStreamTrack, heard: (level: number) => void) {
    const context = audioContext()
    if (!context) return
    const analyser = context.createAnalyser()
    analyser.fftSize = 1024
    this.source = context.createMediaStreamSource(new MediaStream([track]))
    this.source.connect(analyser)
    const samples = new Float32Array(analyser.fftSize)
    this.timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples)
      heard(levelOf(samples))
    }, PERIOD_MS)
  }

  stop(): void {
    clearInterval(this.timer)
    this.source?.disconnect()
  }
}

export function levelOf(samples: Float32Array): number {
  let sum = 0
  for (const sample of samples) sum += sample * sample
  const db = 10 * Math.log10(sum / samples.length + 1e-12)
  return Math.min(1, Math.max(0, (db - FLOOR_DB) / (CEILING_DB - FLOOR_DB)))
}
