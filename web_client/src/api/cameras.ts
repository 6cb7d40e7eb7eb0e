/** Cameras of venues that the server fetches: written down over REST, and how each fares. */
import type { Http } from './http'
import { pathOf } from './preparing'

export type CameraTransport = 'tcp' | 'udp'
export type CameraState = 'off' | 'idle' | 'connecting' | 'running' | 'failed'
export const CAMERA_FAULTS = [
  'address_wrong',
  'unreachable',
  'refused',
  'password_wrong',
  'not_found',
  'codec_unknown',
  'no_picture',
  'stopped',
  'garbage',
  'overload',
  'not_seated',
  'unreadable',
] as const
export type CameraFault = (typeof CAMERA_FAULTS)[number]

/** As it is written down; what opens it never comes back. */
export interface Camera {
  id: string
  venue_id: string
  label: string
  /** `***` stands for what may be a key; null for those who may not edit it */
  address: string | null
  has_password: boolean
  transport: CameraTransport
  with_sound: boolean
  is_main: boolean
  enabled: boolean
}

export interface CameraDraft {
  label: string
  address: string
  user?: string
  password?: string
  transport: CameraTransport
  with_sound: boolean
}
export type CameraChanges = Partial<CameraDraft> & { is_main?: boolean; enabled?: boolean }

export interface CameraPicture {
  /** 0 without a picture */
  width: number
  height: number
  frames_per_second: number
  codec: string
  has_sound: boolean
  /** made anew for browsers, which costs that share of a processor core */
  transcoding: boolean
  cpu_share: number
}

/** How one fares now: desks are told of all, operators of their venue's. */
export interface CameraNow {
  id: string
  venue_id: string
  venue: string
  label: string
  is_main: boolean
  with_sound: boolean
  state: CameraState
  reason: CameraFault | null
  since_wall_ms: number | null
  retry_wall_ms: number | null
  /** null until it ran */
  picture: CameraPicture | null
  /** under whom it is in the room */
  participant_id: string | null
}

/** What a test found: a reason, or what the camera sends and a picture (JPEG as base64, empty where it sends none). */
export interface CameraLook {
  reason: CameraFault | null
  picture: string
  width: number
  height: number
  codec: string
  has_sound: boolean
  transcoding: boolean
}

export const cameras = (http: Http, cid: string) => {
  const path = (venueId: string, id?: string): string => `${pathOf(cid)}/venues/${venueId}/cameras${id ? `/${id}` : ''}`
  return {
    of: (venueId: string) => http.get<{ items: Camera[] }>(path(venueId)),
    add: (venueId: string, draft: CameraDraft) => http.send<Camera>('POST', path(venueId), draft),
    edit: (venueId: string, id: string, changes: CameraChanges) => http.send<Camera>('PATCH', path(venueId, id), changes),
    remove: (venueId: string, id: string) => http.send<undefined>('DELETE', path(venueId, id)),
    test: (venueId: string, id: string) => http.send<CameraLook>('POST', `${path(venueId, id)}/test`),
  }
}
export type Cameras = ReturnType<typeof cameras>
