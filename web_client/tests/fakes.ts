/** Fakes of what the browser brings: a wire, peer connections, tracks. Time comes from vitest's fake timers. */
import { vi } from 'vitest'
import type { Wire } from '@/api/room-socket'
import type { AgendaItem, FloorHolder, Participant, Snapshot, Statement } from '@/api/messages'

export class FakeWire implements Wire {
  connected = false
  connects = 0
  readonly sent: { event: string; payload: unknown; ack: (answer: unknown) => void }[] = []
  answers: Record<string, unknown> = {}
  private readonly handlers = new Map<string, (detail?: unknown) => void>()
  private any: (event: string, ...args: unknown[]) => void = () => undefined

  connect(): void {
    this.connects += 1
  }
  disconnect(): void {
    this.drop()
  }
  on(event: string, listener: (detail?: unknown) => void): void {
    this.handlers.set(event, listener)
  }
  onAny(listener: (event: string, ...args: unknown[]) => void): void {
    this.any = listener
  }
  emit(event: string, payload: unknown, ack: (answer: unknown) => void): void {
    this.sent.push({ event, payload, ack })
    const answer = this.answers[event]
    if (answer !== undefined) queueMicrotask(() => ack({ ok: true, data: answer }))
  }

  accept(): void {
    this.connected = true
    this.handlers.get('connect')?.()
  }
  refuse(): void {
    this.handlers.get('connect_error')?.()
  }
  drop(): void {
    if (!this.connected) return
    this.connected = false
    this.handlers.get('disconnect')?.()
  }
  deliver(event: string, ...args: unknown[]): void {
    this.any(event, ...args)
  }
  events(name: string): unknown[] {
    return this.sent.filter((each) => each.event === name).map((each) => each.payload)
  }
}

export class FakeTransceiver {
  mid: string | null = null
  direction: string
  readonly receiver: { track: unknown }
  readonly replaced: unknown[] = []
  readonly set: RTCRtpEncodingParameters[][] = []
  readonly sender = {
    getParameters: () => ({ encodings: this.encodings.map((each) => ({ ...each })) }),
    setParameters: ({ encodings }: { encodings: RTCRtpEncodingParameters[] }): Promise<void> => {
      this.set.push((this.encodings = encodings))
      return Promise.resolve()
    },
    replaceTrack: (track: unknown): Promise<void> => {
      this.replaced.push(track)
      return Promise.resolve()
    },
  }
  constructor(
    readonly kind: string,
    direction: string,
    public encodings: RTCRtpEncodingParameters[] = [{}],
  ) {
    this.direction = direction
    this.receiver = { track: { kind } }
  }
}

export class FakePeer extends EventTarget {
  static readonly all: FakePeer[] = []
  connectionState: RTCPeerConnectionState = 'new'
  readonly transceivers: FakeTransceiver[] = []
  localDescription: { sdp: string } | null = null
  remote: string[] = []
  failRemote = false
  closed = false

  constructor() {
    super()
    FakePeer.all.push(this)
  }
  addTransceiver(track: { kind: string }, init: { direction: string; sendEncodings?: RTCRtpEncodingParameters[] }): FakeTransceiver {
    const transceiver = new FakeTransceiver(track.kind, init.direction, init.sendEncodings)
    this.transceivers.push(transceiver)
    return transceiver
  }
  getTransceivers(): FakeTransceiver[] {
    return this.transceivers
  }
  createOffer(): Promise<object> {
    return Promise.resolve({})
  }
  createAnswer(): Promise<object> {
    return Promise.resolve({})
  }
  setLocalDescription(): Promise<void> {
    this.transceivers.forEach((each, at) => (each.mid ??= String(at)))
    this.localDescription = { sdp: `local-${FakePeer.all.indexOf(this)}` }
    return Promise.resolve()
  }
  setRemoteDescription({ type, sdp }: { type: string; sdp: string }): Promise<void> {
    if (this.failRemote) return Promise.reject(new Error('bad sdp'))
    this.remote.push(sdp)
    // As browsers do with an answer that takes no simulcast.
    if (sdp === 'one encoding') this.transceivers.forEach((each) => each.encodings.splice(1))
    if (type === 'offer') {
      for (const line of sdp.matchAll(/^m=(\w+)/gm)) {
        const transceiver = new FakeTransceiver(line[1] ?? '', 'recvonly')
        transceiver.mid = String(this.transceivers.length)
        if (this.transceivers.length < [...sdp.matchAll(/^m=/gm)].length) this.transceivers.push(transceiver)
      }
    }
    return Promise.resolve()
  }
  become(state: RTCPeerConnectionState): void {
    this.connectionState = state
    this.dispatchEvent(new Event('connectionstatechange'))
  }
  close(): void {
    this.closed = true
    this.connectionState = 'closed'
  }
}

export const createPeer = (): RTCPeerConnection => new FakePeer() as unknown as RTCPeerConnection
export const fakeTrack = (kind: 'audio' | 'video', width = 1280): MediaStreamTrack =>
  ({ kind, getSettings: () => ({ width }) }) as unknown as MediaStreamTrack

export function participant(id: string, more: Partial<Participant> = {}): Participant {
  return {
    id,
    name: id,
    role: 'member',
    venue: null,
    kind: 'client',
    device: 'laptop',
    joined_at_ms: 0,
    connected: true,
    microphone: false,
    camera: false,
    hard_muted: false,
    muted_by: null,
    hand: null,
    quality: null,
    publications: [],
    ...more,
  }
}

export function agendaItem(id: string, more: Partial<AgendaItem> = {}): AgendaItem {
  return {
    id,
    title: id,
    kind: 'speech',
    planned_minutes: 10,
    planned_start_wall_ms: null,
    speaker: null,
    state: 'pending',
    started_at_ms: null,
    ended_at_ms: null,
    ...more,
  }
}

export function holding(id: string, more: Partial<FloorHolder> = {}): FloorHolder {
  return {
    participant_id: id,
    name: id,
    venue: null,
    granted_at_ms: 0,
    started_at_ms: null,
    duration_ms: 300_000,
    spoken_ms: 0,
    ending: 'soft',
    state: 'waiting',
    ...more,
  }
}

export function statement(id: string, more: Partial<Statement> = {}): Statement {
  return {
    id,
    participant_id: 'other',
    name: 'other',
    role: 'member',
    venue: null,
    text: id,
    at_ms: null,
    at_wall_ms: 0,
    reply_to: null,
    likes: 0,
    liked: false,
    taken: false,
    private: false,
    ...more,
  }
}

export function snapshot(more: Partial<Snapshot> = {}): Snapshot {
  return {
    version: 1,
    consultation: { id: 'demo', title: '议题', status: 'scheduled', mode: 'free' },
    program_time_ms: null,
    server_time_ms: 0,
    self: {
      participant_id: 'me',
      name: 'me',
      role: 'member',
      venue: null,
      resume_secret: 'secret',
      resumed: false,
      can: ['media.publish'],
    },
    media: { epoch: 'one', ice_servers: [] },
    participants: [participant('me')],
    speakers: [],
    ...more,
  }
}

/** Lets everything that waits in promises run, without moving the clock. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}

/** A device whose storage is full: it still gives what was kept before. Returns how to make room again. */
export function fullStorage(): () => void {
  const { localStorage: real } = window
  const full = {
    getItem: (key: string) => real.getItem(key),
    removeItem: (key: string) => real.removeItem(key),
    setItem: () => {
      throw new DOMException('full', 'QuotaExceededError')
    },
  } as unknown as Storage
  const spy = vi.spyOn(window, 'localStorage', 'get').mockReturnValue(full)
  return () => spy.mockRestore()
}
