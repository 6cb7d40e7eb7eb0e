/** Clips in words: lengths, sizes, and why one cannot be played. */
import { CLIP_REFUSALS, type Clip } from '@/api/clips'

type Translate = (key: string, values?: Record<string, unknown>) => string

/** 1:05, 1:02:03 */
export function lengthText(ms: number): string {
  const all = Math.max(0, Math.floor(ms / 1000))
  const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60]
  const two = (value: number): string => String(value).padStart(2, '0')
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`
}

export function sizeText(bytes: number, t: Translate): string {
  if (bytes >= 1e9) return t('clips.gigabytes', { n: (bytes / 1e9).toFixed(1) })
  return t('clips.megabytes', { n: Math.max(1, Math.round(bytes / 1e6)) })
}

/** Of the state alone, or of what there is to know of one that is ready. */
export function stateText(clip: Clip, t: Translate): string {
  return clip.state === 'queued' || clip.state === 'refused' ? t(`clips.state.${clip.state}`) : t(`clips.state.${clip.state}`, { n: clip.progress })
}

export function refusedText(clip: Clip, t: Translate): string {
  const known = CLIP_REFUSALS.some((each) => each === clip.reason)
  return t(`clips.refused.${known ? (clip.reason ?? 'unknown') : 'unknown'}`)
}

/** What somebody should know before playing it. */
export function lacks(clip: Clip, t: Translate): string {
  if (!clip.has_picture) return t('clips.noPicture')
  return clip.has_sound ? '' : t('clips.noSound')
}
