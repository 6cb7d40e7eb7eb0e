/** Cameras of venues that the server fetches: found and written down over REST, and how each fares. */
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

/** A device that answered a search of the network; `name` and `hardware` are what it calls itself, or empty. */
export interface CameraDevice {
  address: string
  host: string
  name: string
  hardware: string
}

export interface DeviceQuestion {
  /** as it was found, or an IP address */
  address: string
  user: string
  password: string
}

/** One of a device's pictures; empty and 0 for what it does not say. */
export interface DeviceStream {
  name: string
  codec: string
  width: number
  height: number
  frames_per_second: number
  address: string
}

/** A reason, or what it has, the one to be taken first. */
export interface DeviceStreams {
  reason: CameraFault | null
  streams: DeviceStream[]
}

export const cameras = (http: Http, cid: string) => {
  const path = (venueId: string, id?: string): string => `${pathOf(cid)}/venues/${venueId}/cameras${id ? `/${id}` : ''}`
  return {
    of: (venueId: string) => http.get<{ items: Camera[] }>(path(venueId)),
    add: (venueId: string, draft: CameraDraft) => http.send<Camera>('POST', path(venueId), draft),
    edit: (venueId: string, id: string, changes: CameraChanges) => http.send<Camera>('PATCH', path(venueId, id), changes),
    remove: (venueId: string, id: string) => http.send<undefined>('DELETE', path(venueId, id)),
    find: (venueId: string) => http.send<{ items: CameraDevice[] }>('POST', path(venueId, 'find')),
    streams: (venueId: string, question: DeviceQuestion) => http.send<DeviceStreams>('POST', path(venueId, 'streams'), question),
    test: (venueId: string, id: string) => http.send<CameraLook>('POST', `${path(venueId, id)}/test`),
  }
}
export type Cameras = ReturnType<typeof cameras>
