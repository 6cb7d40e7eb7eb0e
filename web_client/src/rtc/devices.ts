/** Opens microphones and cameras, and says in one of six words why one did not open. */

export type DeviceProblem = 'denied' | 'missing' | 'busy' | 'insecure' | 'unsupported' | 'failed'
export type DeviceKind = 'microphone' | 'camera'

/** What the browser does to a microphone's sound before it is sent. */
export interface SoundProcessing {
  echoCancellation: boolean
  noiseSuppression: boolean
  autoGainControl: boolean
}

export interface DeviceChoice {
  microphone: string | null
  camera: string | null
  speaker: string | null
  facing: 'user' | 'environment'
  /** by microphone; all of it where nothing was chosen */
  sound?: Record<string, SoundProcessing>
}

export interface DeviceEntry {
  id: string
  label: string
}

export interface DeviceList {
  microphones: DeviceEntry[]
  cameras: DeviceEntry[]
  speakers: DeviceEntry[]
}

export function captureProblem(): DeviceProblem | null {
  if (!window.isSecureContext) return 'insecure'
  // Old in-app browsers have the object without the method.
  const media = navigator.mediaDevices as Partial<MediaDevices> | undefined
  return media?.getUserMedia ? null : 'unsupported'
}

export function problemOf(error: unknown): DeviceProblem {
  const name = error instanceof Error || error instanceof DOMException ? error.name : ''
  if (name === 'NotAllowedError' || name === 'SecurityError' || name === 'PermissionDeniedError') return 'denied'
  if (name === 'NotFoundError' || name === 'OverconstrainedError' || name === 'DevicesNotFoundError') return 'missing'
  if (name === 'NotReadableError' || name === 'AbortError' || name === 'TrackStartError') return 'busy'
  return 'failed'
}

export function microphoneConstraints(choice: DeviceChoice): MediaTrackConstraints {
  const chosen = choice.sound?.[choice.microphone ?? '']
  return {
    echoCancellation: true,
    noiseSuppression: true,
    autoGainControl: true,
    // Without echo cancellation browsers take both channels of a line; a hall is heard in one.
    ...(chosen ? { ...chosen, channelCount: { ideal: 1 } } : {}),
    ...(choice.microphone ? { deviceId: { ideal: choice.microphone } } : {}),
  }
}

export function cameraConstraints(choice: DeviceChoice, phone: boolean): MediaTrackConstraints {
  return {
    width: { ideal: phone ? 640 : 1280 },
    height: { ideal: phone ? 360 : 720 },
    frameRate: { ideal: 25, max: 30 },
    ...(phone
      ? { facingMode: { ideal: choice.facing } }
      : choice.camera
        ? { deviceId: { ideal: choice.camera } }
        : {}),
  }
}

export async function listDevices(): Promise<DeviceList> {
  const list: DeviceList = { microphones: [], cameras: [], speakers: [] }
  if (captureProblem()) return list
  for (const device of await navigator.mediaDevices.enumerateDevices()) {
    // Without permission the entries have no id and cannot be chosen.
    if (!device.deviceId) continue
    const entry = { id: device.deviceId, label: device.label }
    if (device.kind === 'audioinput') list.microphones.push(entry)
    else if (device.kind === 'videoinput') list.cameras.push(entry)
    else list.speakers.push(entry)
  }
  return list
}

const CHOICE_KEY = 'yuanshang.devices'

export function readChoice(): DeviceChoice {
  const empty: DeviceChoice = { microphone: null, camera: null, speaker: null, facing: 'user' }
  try {
    return { ...empty, ...(JSON.parse(window.localStorage.getItem(CHOICE_KEY) ?? '{}') as Partial<DeviceChoice>) }
  } catch {
    return empty
  }
}

export function keepChoice(choice: DeviceChoice): void {
  try {
    window.localStorage.setItem(CHOICE_KEY, JSON.stringify(choice))
  } catch {
    // Private windows may refuse storage; the choice then lasts as long as the page.
  }
}
