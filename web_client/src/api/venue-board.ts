/** How all venues fare, over REST; and the board as a file. */
import type { Http } from './http'
import type { MediaPath } from './inspector'
import type { VenueMessage } from './messages'
import { pathOf } from './preparing'

export type VenueVerdict = 'ok' | 'look' | 'act' | 'absent'
export type VenueReason =
  | 'well'
  | 'not_here'
  | 'gone'
  | 'away'
  | 'no_media'
  | 'media_lost'
  | 'uplink_broken'
  | 'sound_breaks'
  | 'cameras_down'
  | 'no_operator'
  | 'operator_away'
  | 'uplink_loss'
  | 'sound_only'
  | 'narrow'
  | 'downlink_loss'
  | 'far'
  | 'freezes'
  | 'microphone_silent'
  | 'camera_silent'
  | 'camera_down'
  | 'small_picture'
  | 'precheck_failed'
  | 'not_checked'
export type VenueStep =
  | 'call'
  | 'resend_link'
  | 'wait'
  | 'check_power'
  | 'reload'
  | 'use_wire'
  | 'use_hotspot'
  | 'use_phone'
  | 'close_others'
  | 'check_microphone'
  | 'choose_microphone'
  | 'check_cable'
  | 'choose_camera'
  | 'check_camera'
  | 'check_address'
  | 'check_sound'
  | 'repeat_precheck'
  | 'run_precheck'
export type CheckVerdict = 'passed' | 'warning' | 'failed' | 'skipped'
export type CheckItem = 'camera' | 'light' | 'microphone' | 'loudspeaker' | 'echo' | 'network' | 'clock' | 'projection' | 'nameplate'
export type FetchedState = 'off' | 'idle' | 'connecting' | 'running' | 'failed'

/** A camera that the server fetches for the venue. */
export interface FetchedCamera {
  id: string
  label: string
  is_main: boolean
  state: FetchedState
  fault: string | null
}

export interface CheckedItem {
  item: CheckItem
  verdict: CheckVerdict
  faults: string[]
}

/** The last pre-check of a venue. */
export interface Checked {
  id: string
  number: number
  by: string
  ended_wall_ms: number
  verdict: CheckVerdict
  items: CheckedItem[]
}

export interface VenueHealth {
  /** of a prepared venue; the name of a hall that has none */
  venue_id: string
  name: string
  kind: 'main' | 'branch' | 'point' | null
  place: string
  operator_name: string
  prepared: boolean
  verdict: VenueVerdict
  reason: VenueReason
  /** a share of 1, bit/s, milliseconds, seconds or pixels, by the reason */
  value: number | null
  count: number
  since_ms: number
  /** 0 needs nothing, 3 is the most urgent */
  need: number
  steps: VenueStep[]
  participant_ids: string[]
  picture_id: string | null
  people: number
  uplink_bps: number | null
  uplink_loss: number | null
  rtt_ms: number | null
  path: MediaPath
  cameras: FetchedCamera[]
  checked: Checked | null
}

export interface VenueMinute {
  at_ms: number
  uplink_bps: number
  loss: number
  worst_loss: number
  rtt_ms: number | null
}

/** Another verdict with its reason, or another way through the network. */
export interface VenueEvent {
  at_ms: number
  verdict: VenueVerdict | null
  reason: VenueReason | null
  path: MediaPath | null
}

export interface Others {
  well: number
  weak: number
}

export interface VenueBoard {
  at_ms: number
  is_live: boolean
  items: (VenueHealth & { minutes: VenueMinute[] })[]
  others: Others
}

export type VenueSession = VenueHealth & { minutes: VenueMinute[]; events: VenueEvent[] }

/** The payload of `venue.health`: put these in the place of those that are held. */
export interface VenueHealthChanged {
  at_ms: number
  venues: VenueHealth[]
  gone: string[]
  others: Others
}

export const venueBoard = (http: Http, cid: string) => {
  const path = `${pathOf(cid)}/venues`
  const one = (id: string): string => `${path}/${encodeURIComponent(id)}`
  return {
    board: () => http.get<VenueBoard>(`${path}/health`),
    session: (id: string) => http.get<VenueSession>(`${one(id)}/health`),
    csv: () => http.download(`${path}/health.csv`),
    messages: (id: string, before: string | null) => http.get<{ items: VenueMessage[]; next: string | null }>(`${one(id)}/messages`, { before }),
  }
}
