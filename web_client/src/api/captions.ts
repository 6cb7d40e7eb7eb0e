/** Captions (字幕) as the server tells them to the room and to desks. Times are program time in ms. */
import type { CaptionState, SpeakerLabel } from './transcript'

export type { CaptionState, SpeakerLabel }

/** What seems to be said at this moment; the next one, or the final one, stands in its place. An empty text ends it. */
export interface CaptionPartial {
  participant_id: string
  speaker: SpeakerLabel
  text: string
  from_ms: number
}

/** What was said. */
export interface CaptionFinal {
  segment_id: string
  participant_id: string
  speaker: SpeakerLabel
  text: string
  start_ms: number
  end_ms: number
}

/** Somebody mended a text after it was shown. */
export interface CaptionCorrected {
  segment_id: string
  text: string
}
