/**
 * One's own microphone and camera while they are wanted: opened, watched, and opened again after they were unplugged, taken by a
 * telephone call or ended by the system. Whoever sends the tracks is told each time they change.
 */
import {
  cameraConstraints,
  captureProblem,
  keepChoice,
  listDevices,
  microphoneConstraints,
  problemOf,
  readChoice,
  type DeviceChoice,
  type DeviceKind,
  type DeviceList,
  type DeviceProblem,
  type SoundProcessing,
} from './devices'
import { Emitter } from './emitter'

export interface LocalDevice {
  wanted: boolean
  opening: boolean
  track: MediaStreamTrack | null
  problem: DeviceProblem | null
  /** the system holds the track back, as during a telephone call */
  interrupted: boolean
}

interface LocalMediaEvents {
  /** any of the two devices or the list changed */
  changed: undefined
  track: { kind: DeviceKind; track: MediaStreamTrack | null }
}

const RETRY_MS = 4000
const device = (): LocalDevice => ({ wanted: false, opening: false, track: null, problem: null, interrupted: false })

export class LocalMedia extends Emitter<LocalMediaEvents> {
  readonly microphone = device()
  readonly camera = device()
  list: DeviceList = { microphones: [], cameras: [], speakers: [] }
  choice: DeviceChoice = readChoice()
  private readonly turns: Record<DeviceKind, number> = { microphone: 0, camera: 0 }
  private retry: ReturnType<typeof setTimeout> | undefined
  private readonly revive = (): void => void this.listChanged()

  constructor(private readonly phone: boolean) {
    super()
    // Absent on insecure pages; then there is nothing to watch either.
    const media = navigator.mediaDevices as MediaDevices | undefined
    media?.addEventListener('devicechange', this.revive)
    document.addEventListener('visibilitychange', this.revive)
  }

  /** Both at once, so that the browser asks once; each by itself when that fails, to know which one is missing. */
  async openBoth(): Promise<void> {
    const problem = captureProblem()
    this.microphone.wanted = this.camera.wanted = true
    if (problem) {
      this.failed('microphone', problem)
      this.failed('camera', problem)
      return
    }
    const turns = { microphone: this.begin('microphone'), camera: this.begin('camera') }
    try {
      const stream = await navigator.mediaDevices.getUserMedia({
        audio: microphoneConstraints(this.choice),
        video: cameraConstraints(this.choice, this.phone),
      })
      this.opened('microphone', turns.microphone, stream.getAudioTracks()[0] ?? null)
      this.opened('camera', turns.camera, stream.getVideoTracks()[0] ?? null)
      await this.relist()
    } catch (error) {
      if (problemOf(error) === 'denied') {
        // Asking again would only be refused again; one kind may still be allowed.
        await Promise.all([this.open('microphone'), this.open('camera')])
      } else {
        await this.open('microphone')
        await this.open('camera')
      }
    }
  }

  async open(kind: DeviceKind): Promise<void> {
    const own = this[kind]
    own.wanted = true
    const problem = captureProblem()
    if (problem) {
      this.failed(kind, problem)
      return
    }
    const turn = this.begin(kind)
    try {
      const stream = await navigator.mediaDevices.getUserMedia(
        kind === 'microphone'
          ? { audio: microphoneConstraints(this.choice) }
          : { video: cameraConstraints(this.choice, this.phone) },
      )
      this.opened(kind, turn, stream.getTracks()[0] ?? null)
    } catch (error) {
      if (turn === this.turns[kind]) this.failed(kind, problemOf(error))
    }
    await this.relist()
  }

  /** Stops the device, so that its light goes out. */
  shut(kind: DeviceKind): void {
    const own = this[kind]
    this.turns[kind] += 1
    own.wanted = own.opening = own.interrupted = false
    own.problem = null
    this.release(kind)
    this.emit('changed', undefined)
  }

  /** What the browser does to the sound of the microphone in use; opened anew, because a running one keeps what it has. */
  async process(processing: SoundProcessing): Promise<void> {
    this.remember({ sound: { ...this.choice.sound, [this.choice.microphone ?? '']: processing } })
    if (this.microphone.wanted) await this.open('microphone')
    else this.emit('changed', undefined)
  }

  async choose(kind: DeviceKind, id: string): Promise<void> {
    this.remember({ [kind]: id })
    if (this[kind].wanted) await this.reopen(kind)
  }

  chooseSpeaker(id: string): void {
    this.remember({ speaker: id })
    this.emit('changed', undefined)
  }

  /** The other camera of a telephone. */
  async turnCamera(): Promise<void> {
    this.remember({ facing: this.choice.facing === 'user' ? 'environment' : 'user' })
    if (this.camera.wanted) await this.reopen('camera')
  }

  close(): void {
    const media = navigator.mediaDevices as MediaDevices | undefined
    media?.removeEventListener('devicechange', this.revive)
    document.removeEventListener('visibilitychange', this.revive)
    clearTimeout(this.retry)
    this.shut('microphone')
    this.shut('camera')
  }

  private async reopen(kind: DeviceKind): Promise<void> {
    // Many telephones cannot open the second camera while the first one runs.
    if (this.phone && kind === 'camera') this.release(kind)
    await this.open(kind)
  }

  private begin(kind: DeviceKind): number {
    this[kind].opening = true
    this[kind].wanted = true
    this.turns[kind] += 1
    this.emit('changed', undefined)
    return this.turns[kind]
  }

  private opened(kind: DeviceKind, turn: number, track: MediaStreamTrack | null): void {
    const own = this[kind]
    if (turn !== this.turns[kind] || !own.wanted) {
      track?.stop()
      return
    }
    const old = own.track
    own.opening = false
    own.problem = track ? null : 'missing'
    own.interrupted = track?.muted ?? false
    own.track = track
    if (track) this.watch(kind, track)
    this.emit('track', { kind, track })
    if (old && old !== track) old.stop()
    this.emit('changed', undefined)
  }

  private watch(kind: DeviceKind, track: MediaStreamTrack): void {
    const own = this[kind]
    track.addEventListener('mute', () => this.interrupt(own, track, true))
    track.addEventListener('unmute', () => this.interrupt(own, track, false))
    track.addEventListener('ended', () => {
      if (own.track !== track || !own.wanted) return
      this.release(kind)
      void this.open(kind)
    })
  }

  private interrupt(own: LocalDevice, track: MediaStreamTrack, interrupted: boolean): void {
    if (own.track !== track) return
    own.interrupted = interrupted
    this.emit('changed', undefined)
  }

  private failed(kind: DeviceKind, problem: DeviceProblem): void {
    const own = this[kind]
    own.opening = false
    own.problem = problem
    this.release(kind)
    this.emit('changed', undefined)
    clearTimeout(this.retry)
    // Nobody tells when another program lets go of a device.
    if (problem === 'busy' || problem === 'failed') this.retry = setTimeout(this.revive, RETRY_MS)
  }

  private release(kind: DeviceKind): void {
    const own = this[kind]
    const track = own.track
    if (!track) return
    own.track = null
    this.emit('track', { kind, track: null })
    track.stop()
  }

  private async listChanged(): Promise<void> {
    if (document.visibilityState === 'hidden') return
    await this.relist()
    for (const kind of ['microphone', 'camera'] as const) {
      const own = this[kind]
      if (!own.wanted || own.opening) continue
      const gone = !own.track || own.track.readyState === 'ended'
      if (gone ? own.problem !== 'denied' && this.present(kind) : this.chosenIsBack(kind)) await this.open(kind)
    }
  }

  private present(kind: DeviceKind): boolean {
    return (kind === 'microphone' ? this.list.microphones : this.list.cameras).length > 0
  }

  /** The chosen device was unplugged, another took its place, and now it is there again. */
  private chosenIsBack(kind: DeviceKind): boolean {
    const chosen = this.choice[kind]
    const used = this[kind].track?.getSettings().deviceId
    if (!chosen || !used || chosen === used || (kind === 'camera' && this.phone)) return false
    const list = kind === 'microphone' ? this.list.microphones : this.list.cameras
    return list.some((entry) => entry.id === chosen)
  }

  private remember(part: Partial<DeviceChoice>): void {
    this.choice = { ...this.choice, ...part }
    keepChoice(this.choice)
  }

  /** Asks the system once more what there is. */
  async relist(): Promise<void> {
    this.list = await listDevices().catch(() => this.list)
    this.emit('changed', undefined)
  }
}
