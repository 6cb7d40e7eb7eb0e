/**
 * The peer connection that sends: one m-line per source, one more for each further camera; offers made here, one at a time.
 * An m-line never goes away while the connection lives: a camera switched off keeps it without a track, a screen that is no longer
 * shared makes it inactive, so that its publication disappears, and the next share takes it again.
 * A camera is sent in several sizes (simulcast) where the answer takes them.
 */
import type { PublishedTrack, Source } from '@/api/messages'
import { Emitter } from './emitter'
import { differ, encodingsFor, layersFor, type Sending } from './simulcast'

/** What an m-line is for. A venue has several cameras: each beyond the first has a key of its own. */
export type SlotKey = Source | `camera:${string}`

const sourceOf = (key: SlotKey): Source => (key.startsWith('camera') ? 'camera' : (key as Source))

interface Slot {
  track: MediaStreamTrack | null
  transceiver: RTCRtpTransceiver | null
  offered: boolean
  label: string | undefined
  /** of several cameras, the one that the program and single players show */
  main: boolean
  /** the layers that the server wants of it; null until it has said so */
  needed: readonly string[] | null
}

interface PublishEvents {
  state: RTCPeerConnectionState
  /** the server has taken a new transport: it takes all layers on it, whatever it asked for before */
  renewed: undefined
}

export interface PublishOptions {
  signal: (sdp: string, tracks: PublishedTrack[]) => Promise<string>
  createPeer: () => RTCPeerConnection
  /** phones send a smaller picture */
  smallPicture: boolean
}

/**
 * A screen has one size; so that a thin line may still get fewer pictures of it, each fourth can do without the others. Browsers that do not know it
 * ignore it or refuse.
 */
function addScreen(add: (encodings: RTCRtpEncodingParameters[]) => RTCRtpTransceiver, encoding: RTCRtpEncodingParameters): RTCRtpTransceiver {
  const thinned: RTCRtpEncodingParameters & { scalabilityMode: string } = { ...encoding, scalabilityMode: 'L1T3' }
  try {
    return add([thinned])
  } catch {
    return add([encoding])
  }
}

/** Microphone first, camera second: so are the m-lines of every first offer. */
const ORDER: Source[] = ['microphone', 'camera', 'screen', 'screen_sound']
const RETRY_MS = [500, 1000, 2000, 4000, 8000]

export class PublishConnection extends Emitter<PublishEvents> {
  peer: RTCPeerConnection | null = null
  // Microphone and camera share a stream, so that a receiver keeps lips and voice together. Only the ids are used.
  private readonly person = new MediaStream()
  private readonly screen = new MediaStream()
  private readonly slots = new Map<SlotKey, Slot>()
  private generation = 0
  private negotiating = -1
  private dirty = false
  private failures = 0
  private relief = 0
  /** the server has answered on this transport */
  private renewed = false
  private shaping: Promise<void> = Promise.resolve()
  private retry: ReturnType<typeof setTimeout> | undefined
  /** nothing is offered before the room is entered */
  private started = false
  private closed = false

  constructor(private readonly options: PublishOptions) {
    super()
  }

  /** True when there is something to send, so that a listener without devices needs no connection. */
  get needed(): boolean {
    return [...this.slots.values()].some((slot) => slot.offered)
  }

  /** What an m-line sends now. */
  track(key: SlotKey): MediaStreamTrack | null {
    return this.slots.get(key)?.track ?? null
  }

  /** The picture that others look at first: the main camera, else any. */
  camera(): MediaStreamTrack | null {
    const cameras = [...this.slots].filter(([key, slot]) => sourceOf(key) === 'camera' && slot.track).map(([, slot]) => slot)
    return (cameras.find((each) => each.main) ?? cameras[0])?.track ?? null
  }

  /** Which of one's own m-lines a publication belongs to: cameras are told apart by their labels. */
  keyOf(source: Source, label: string | null): SlotKey {
    const fitting = [...this.slots].filter(([key]) => sourceOf(key) === source)
    return (fitting.find(([, slot]) => (slot.label ?? '') === (label ?? '')) ?? fitting[0])?.[0] ?? source
  }

  /** Gives an m-line its track; without one it stays and sends nothing. */
  async setTrack(key: SlotKey, track: MediaStreamTrack | null, label?: string): Promise<void> {
    const slot = this.slots.get(key) ?? { track: null, transceiver: null, offered: false, label: undefined, main: false, needed: null }
    this.slots.set(key, slot)
    slot.track = track
    const renamed = label !== undefined && label !== slot.label
    slot.label = label ?? slot.label
    if (track) slot.offered = true
    if (!slot.transceiver) {
      if (track) await this.negotiate()
      return
    }
    const silent = slot.transceiver.direction === 'inactive'
    if (!(await this.replace(slot.transceiver, track))) return
    // Another camera may have another size.
    if (track) await this.shape(key)
    if (track && silent) slot.transceiver.direction = 'sendonly'
    if ((track && silent) || (renamed && !silent)) await this.negotiate()
  }

  /** Of several cameras this one stands for all. Said with a round of the negotiation; nothing is interrupted. */
  async setMain(main: SlotKey): Promise<void> {
    let changed = false
    for (const [key, slot] of this.slots) {
      if (sourceOf(key) !== 'camera' || slot.main === (key === main)) continue
      slot.main = key === main
      changed = true
    }
    if (changed && this.peer) await this.negotiate()
  }

  /** Takes a source out of the room: its publication disappears, its m-line waits for the next one. */
  async withdraw(key: SlotKey): Promise<void> {
    const slot = this.slots.get(key)
    if (!slot) return
    slot.track = null
    slot.offered = false
    if (!slot.transceiver) return
    slot.transceiver.direction = 'inactive'
    if (await this.replace(slot.transceiver, null)) await this.negotiate()
  }

  /** Which layers of a source somebody looks at; the others are not encoded. null: all. */
  need(key: SlotKey, layers: readonly string[] | null): void {
    const slot = this.slots.get(key)
    if (!slot) return
    slot.needed = layers
    void this.shape(key)
  }

  /** The device cannot keep up: 0 sends everything, each step less of the camera. */
  relieve(steps: number): void {
    if (steps === this.relief) return
    this.relief = steps
    void this.shapeCameras()
  }

  /** A new transport with everything that is being sent. */
  async rebuild(): Promise<void> {
    if (this.closed) return
    this.started = true
    this.drop()
    await this.negotiate()
  }

  close(): void {
    this.closed = true
    this.drop()
  }

  /** A connection that does not take the track is past mending; the new one is built with it. */
  private async replace(transceiver: RTCRtpTransceiver, track: MediaStreamTrack | null): Promise<boolean> {
    try {
      await transceiver.sender.replaceTrack(track)
      return true
    } catch {
      await this.rebuild()
      return false
    }
  }

  private drop(): void {
    this.generation += 1
    this.renewed = false
    clearTimeout(this.retry)
    this.peer?.close()
    this.peer = null
    for (const slot of this.slots.values()) slot.transceiver = null
    this.forgetNeeds()
  }

  private forgetNeeds(): void {
    for (const slot of this.slots.values()) slot.needed = null
  }

  private async negotiate(): Promise<void> {
    if (this.closed || !this.started) return
    this.dirty = true
    if (this.negotiating === this.generation) return
    const generation = this.generation
    this.negotiating = generation
    try {
      while (this.dirty && generation === this.generation) {
        this.dirty = false
        await this.round(generation)
      }
      if (generation === this.generation) this.failures = 0
    } catch {
      if (generation === this.generation) this.retryLater()
    } finally {
      if (this.negotiating === generation) this.negotiating = -1
    }
  }

  private async round(generation: number): Promise<void> {
    if (!this.needed && !this.peer) return
    const peer = this.peer ?? this.openPeer()
    for (const key of this.keys()) this.materialize(peer, key)
    await peer.setLocalDescription(await peer.createOffer())
    if (generation !== this.generation) return
    const answer = await this.options.signal(peer.localDescription?.sdp ?? '', this.published())
    if (generation !== this.generation) return
    if (!this.renewed) {
      // What came up to here was said of the transport before; the server says nothing again that it takes for granted.
      this.renewed = true
      this.forgetNeeds()
      this.emit('renewed', undefined)
    }
    await peer.setRemoteDescription({ type: 'answer', sdp: answer })
    // An answer that does not know simulcast leaves the smallest size alone: it becomes the full one.
    await this.shapeCameras()
  }

  /** In the order of the m-lines of a first offer. */
  private keys(): SlotKey[] {
    return ORDER.flatMap((source) => [...this.slots.keys()].filter((key) => sourceOf(key) === source))
  }

  private async shapeCameras(): Promise<void> {
    for (const key of this.keys()) if (sourceOf(key) === 'camera') await this.shape(key)
  }

  /** Brings what the browser encodes in line with size, need and relief; one after the other, as senders demand. */
  private shape(key: SlotKey): Promise<void> {
    this.shaping = this.shaping.then(() => this.shapeNow(key))
    return this.shaping
  }

  private async shapeNow(key: SlotKey): Promise<void> {
    const source = sourceOf(key)
    const slot = this.slots.get(key)
    const sender = slot?.transceiver?.sender
    if (!slot?.track || !sender) return
    const parameters = sender.getParameters()
    const count = parameters.encodings.length
    if (count === 0) return
    const names = count > 1 ? parameters.encodings.map((each) => each.rid ?? '') : []
    const wanted = source === 'camera' ? encodingsFor(names, this.sending(slot)) : [{ ...this.encoding(source), active: slot.needed?.length !== 0 }]
    if (!differ(parameters.encodings, wanted)) return
    parameters.encodings.forEach((each, at) => {
      delete each.maxFramerate
      Object.assign(each, wanted[at], { rid: each.rid })
    })
    try {
      await sender.setParameters(parameters)
    } catch {
      // A connection that was replaced meanwhile, or a browser without these parameters: it goes on sending as before.
    }
  }

  private sending(slot: Slot): Sending {
    const settings = slot.track?.getSettings() ?? {}
    const longSide = Math.max(settings.width ?? 0, settings.height ?? 0)
    return { longSide: longSide || (this.options.smallPicture ? 640 : 1280), needed: slot.needed, relief: this.relief }
  }

  private openPeer(): RTCPeerConnection {
    const peer = this.options.createPeer()
    this.peer = peer
    peer.addEventListener('connectionstatechange', () => {
      if (peer === this.peer) this.emit('state', peer.connectionState)
    })
    return peer
  }

  private materialize(peer: RTCPeerConnection, key: SlotKey): void {
    const slot = this.slots.get(key)
    if (!slot?.track || slot.transceiver) return
    const source = sourceOf(key)
    const track = slot.track
    const add = (sendEncodings: RTCRtpEncodingParameters[]): RTCRtpTransceiver =>
      peer.addTransceiver(track, { direction: 'sendonly', streams: [source.startsWith('screen') ? this.screen : this.person], sendEncodings })
    if (source === 'camera') slot.transceiver = add(this.cameraEncodings(slot))
    else if (source === 'screen') slot.transceiver = addScreen(add, this.encoding(source))
    else slot.transceiver = add([this.encoding(source)])
  }

  private published(): PublishedTrack[] {
    const tracks: PublishedTrack[] = []
    for (const key of this.keys()) {
      const slot = this.slots.get(key)
      const mid = slot?.transceiver?.mid
      if (!slot || mid === null || mid === undefined || slot.transceiver?.direction === 'inactive') continue
      tracks.push({ mid, source: sourceOf(key), ...(slot.label ? { label: slot.label } : {}), ...(slot.main ? { main: true } : {}) })
    }
    return tracks
  }

  private cameraEncodings(slot: Slot): RTCRtpEncodingParameters[] {
    const sending = this.sending(slot)
    return encodingsFor(layersFor(sending.longSide, this.options.smallPicture), sending)
  }

  private encoding(source: Source): RTCRtpEncodingParameters {
    if (source === 'screen') return { maxBitrate: 2_500_000, priority: 'medium' }
    // On a thin uplink the voice goes first.
    return { priority: 'high', networkPriority: 'high' }
  }

  private retryLater(): void {
    clearTimeout(this.retry)
    const delay = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)] ?? 8000
    this.failures += 1
    this.retry = setTimeout(() => void this.rebuild(), delay)
  }
}
