/** The one sentence over the console: whether all is well, and if not, the one thing to do. Pure. */
import type { Quality } from '@/api/messages'
import type { DeviceProblem } from '@/rtc/devices'
import type { HeardSound } from '@/rtc/hall-ear'
import type { LinkState } from '@/rtc/room-session'
import type { CameraState } from '@/rtc/venue-camera'

export type VenueAct =
  | 'retryLink'
  | 'playSound'
  | 'takeOver'
  | 'retryMicrophone'
  | 'findCameras'
  | 'reopenCamera'
  | 'useOther'
  | 'showPicture'

export interface VenueVerdict {
  level: 'ok' | 'warn' | 'bad'
  /** under `venue.verdict` in the texts */
  key: string
  values?: Record<string, string | number>
  act?: VenueAct
}

export interface VenueFacts {
  link: LinkState
  soundBlocked: boolean
  /** somebody else works this venue, and whether anybody sends its picture */
  helping: boolean
  sentByOthers: boolean
  microphone: { problem: DeviceProblem | null; interrupted: boolean; open: boolean }
  sound: Pick<HeardSound, 'clipping' | 'humming' | 'silent' | 'loudness'> | null
  /** the loudspeakers are lower because of a howl */
  ducked: boolean
  /** of the main camera; null when there is none */
  camera: { state: CameraState; label: string } | null
  /** another camera that could take its place */
  other: string | null
  /** why no camera at all is known */
  noCamera: DeviceProblem | null
  paused: boolean
  quality: Quality
  /** our picture comes back with few pictures a second */
  slow: boolean
  /** this venue has the floor */
  mine: boolean
}

const CAMERA_KEYS: Partial<Record<CameraState, string>> = {
  no_signal: 'cameraNoSignal',
  frozen: 'cameraFrozen',
  unplugged: 'cameraUnplugged',
  held: 'cameraBusy',
  busy: 'cameraBusy',
  denied: 'cameraDenied',
  insecure: 'insecure',
  unsupported: 'unsupported',
  failed: 'cameraFailed',
  missing: 'cameraUnplugged',
}

/** The gravest first; of equals what the others notice soonest. */
export function venueVerdict(facts: VenueFacts): VenueVerdict {
  if (facts.link === 'lost') return { level: 'bad', key: 'lost', act: 'retryLink' }
  if (facts.link === 'reconnecting') return { level: 'warn', key: 'reconnecting' }
  if (facts.helping) {
    return facts.sentByOthers ? { level: 'ok', key: 'helping' } : { level: 'warn', key: 'nobodySends', act: 'takeOver' }
  }
  return microphoneVerdict(facts) ?? cameraVerdict(facts) ?? soundVerdict(facts) ?? lineVerdict(facts) ?? { level: 'ok', key: facts.mine ? 'speaking' : 'good' }
}

function microphoneVerdict({ microphone }: VenueFacts): VenueVerdict | null {
  if (microphone.interrupted) return { level: 'bad', key: 'microphoneBusy', act: 'retryMicrophone' }
  switch (microphone.problem) {
    case null:
      return null
    case 'insecure':
    case 'unsupported':
      return { level: 'bad', key: microphone.problem }
    case 'denied':
      return { level: 'bad', key: 'microphoneDenied', act: 'retryMicrophone' }
    case 'busy':
      return { level: 'bad', key: 'microphoneBusy', act: 'retryMicrophone' }
    default:
      return { level: 'bad', key: 'microphoneMissing', act: 'retryMicrophone' }
  }
}

function cameraVerdict({ camera, other, noCamera, paused }: VenueFacts): VenueVerdict | null {
  if (paused) return { level: 'warn', key: 'paused', act: 'showPicture' }
  if (!camera) return { level: 'bad', key: noCamera === 'denied' ? 'cameraDenied' : 'cameraNone', act: 'findCameras' }
  const key = CAMERA_KEYS[camera.state]
  if (!key) return null
  // A picture that stands may be meant to; one that is missing never is.
  const level = camera.state === 'frozen' ? 'warn' : 'bad'
  const values = { camera: camera.label, other: other ?? '' }
  return { level, key, values, act: other ? 'useOther' : 'reopenCamera' }
}

function soundVerdict({ soundBlocked, ducked, sound, microphone, mine }: VenueFacts): VenueVerdict | null {
  if (soundBlocked) return { level: 'bad', key: 'soundBlocked', act: 'playSound' }
  if (ducked) return { level: 'warn', key: 'howl' }
  if (!sound || !microphone.open) return null
  if (sound.silent) return { level: mine ? 'bad' : 'warn', key: 'silent' }
  if (sound.clipping) return { level: 'warn', key: 'clipping' }
  if (sound.humming) return { level: 'warn', key: 'humming' }
  if (mine && sound.loudness === 'soft') return { level: 'warn', key: 'soft' }
  return null
}

function lineVerdict({ quality, slow }: VenueFacts): VenueVerdict | null {
  if (quality !== null && quality <= 1) return { level: 'warn', key: 'weak' }
  return slow ? { level: 'warn', key: 'slow' } : null
}

const USUAL_TURN_MS = 5 * 60_000

/** How long until it is this venue's turn: what the speaker has left, and as long as usual for each before us. */
export function waitMs(place: number, holderLeftMs: number | null, somebodySpeaks: boolean): number {
  const now = somebodySpeaks ? Math.max(0, holderLeftMs ?? USUAL_TURN_MS / 2) : 0
  return now + Math.max(0, place - 1) * USUAL_TURN_MS
}
