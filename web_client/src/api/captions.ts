/** Captions (字幕) as the server tells them to the room and to desks. Times are program time in ms. */
import type { Role } from './messages'

/** off: switched off, or not live. late: more than 5 s behind. trouble: coming back. paused: nothing is written down. */
export type CaptionState = 'off' | 'no_model' | 'starting' | 'on' | 'late' | 'trouble' | 'paused'

export interface CaptionSpeaker {
  name: string
  role: Role
  venue: string | null
  title: string | null
  /** false: a room's microphone of which nobody has said yet who spoke into it */
  is_certain: boolean
}

/** What seems to be said at this moment; the next one, or the final one, stands in its place. An empty text ends it. */
export interface CaptionPartial {
  participant_id: string
  speaker: CaptionSpeaker
  text: string
  from_ms: number
}

/** What was said. */
export interface CaptionFinal {
  segment_id: string
  participant_id: string
  speaker: CaptionSpeaker
  text: string
  start_ms: number
  end_ms: number
}

/** Somebody mended a text after it was shown. */
export interface CaptionCorrected {
  segment_id: string
  text: string
}
