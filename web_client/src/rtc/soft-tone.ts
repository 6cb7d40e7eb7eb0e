/** One soft tone, for a last minute of speaking time. */
import { audioContext } from './audio-context'

const HZ = 587
const LONG_S = 0.7
const LOUD = 0.12

export function softTone(): void {
  const context = audioContext()
  // Without a gesture there is no sound of ours; the words on the screen say the same.
  if (context?.state !== 'running') return
  const tone = context.createOscillator()
  const gain = context.createGain()
  const now = context.currentTime
  tone.frequency.value = HZ
  gain.gain.setValueAtTime(0, now)
  gain.gain.linearRampToValueAtTime(LOUD, now + 0.03)
  gain.gain.exponentialRampToValueAtTime(0.001, now + LONG_S)
  tone.connect(gain).connect(context.destination)
  tone.start(now)
  tone.stop(now + LONG_S)
}
