/** What a venue has plugged in, as one word, and what the browser does to its sound then. */
import type { SoundProcessing } from './devices'

export type SoundPreset = 'speakers' | 'headset' | 'mixer'
export const SOUND_PRESETS: readonly SoundPreset[] = ['speakers', 'headset', 'mixer']

const PROCESSING: Record<SoundPreset, SoundProcessing> = {
  // The hall's loudspeakers come back into its microphone: that has to be taken out.
  speakers: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
  headset: { echoCancellation: false, noiseSuppression: true, autoGainControl: true },
  // A desk has done all of this already, and what it sends is to stay as it is.
  mixer: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
}

export const processingOf = (preset: SoundPreset): SoundProcessing => ({ ...PROCESSING[preset] })

/** null: switched by hand to something that none of them is */
export function presetOf(processing: SoundProcessing): SoundPreset | null {
  return SOUND_PRESETS.find((each) => same(PROCESSING[each], processing)) ?? null
}

function same(one: SoundProcessing, two: SoundProcessing): boolean {
  return one.echoCancellation === two.echoCancellation && one.noiseSuppression === two.noiseSuppression && one.autoGainControl === two.autoGainControl
}
