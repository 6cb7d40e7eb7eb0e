/** A desk's connection: the room's state and requests without a seat and without media. Comes back by itself. */
import { Emitter } from '@/rtc/emitter'
import { EnvironmentWatch } from '@/rtc/environment-watch'
import type { LinkState } from '@/rtc/room-session'
import type { DeskSnapshot, RequestName, Requests, ServerEvent, ServerEvents, Snapshot } from './messages'
import { RequestError, type Incoming, type RoomSocket } from './room-socket'

interface DeskEvents {
  snapshot: Snapshot
  event: { [Name in ServerEvent]: { name: Name; payload: ServerEvents[Name] } }[ServerEvent]
  link: LinkState
  refused: string
}

/** Refusals that pass: the server starts, too many came back at once, or another server has the room still. */
const PASSING = new Set(['rate_limited', 'media_unavailable', 'storage_unavailable', 'internal', 'other_node'])
const LOST_MS = 20_000
const PROBE_MS = 3000

export class DeskSession extends Emitter<DeskEvents> {
  private readonly socket: RoomSocket
  private readonly environment = new EnvironmentWatch()
  private shown: LinkState = 'connecting'
  private entered = false
  private probing = false
  private lost: ReturnType<typeof setTimeout> | undefined

  constructor(openSocket: (auth: () => Record<string, unknown>) => RoomSocket, token: string) {
    super()
    this.socket = openSocket(() => ({ token }))
    this.socket.on('message', (message) => this.receive(message))
    this.socket.on('down', () => this.dropped())
    this.environment.on('suspect', () => void this.check())
    this.environment.on('offline', () => this.dropped())
  }

  start(): void {
    this.environment.start()
    this.socket.open()
  }

  close(): void {
    clearTimeout(this.lost)
    this.environment.stop()
    this.socket.close()
  }

  retryNow(): void {
    this.socket.kick()
  }

  request<Name extends RequestName>(name: Name, payload: Requests[Name][0]): Promise<Requests[Name][1]> {
    return this.socket.request(name, payload)
  }

  /** Looks whether the line lives and asks for the whole state. */
  async check(): Promise<void> {
    if (this.probing) return
    if (!this.socket.up) {
      this.socket.kick()
      return
    }
    this.probing = true
    try {
      const body: unknown = await this.socket.request('room.sync', {}, PROBE_MS)
      this.emit('snapshot', withoutSeat(body as DeskSnapshot))
    } catch (error) {
      if (error instanceof RequestError && ['offline', 'timeout'].includes(error.code)) this.socket.kick()
    } finally {
      this.probing = false
    }
  }

  private receive({ name, payload, ack }: Incoming): void {
    if (name === 'desk.snapshot') {
      this.entered = true
      this.emit('snapshot', withoutSeat(payload as DeskSnapshot))
      this.show('connected')
    } else if (name === 'session.refused') {
      const { code } = payload as ServerEvents['session.refused']
      if (PASSING.has(code)) return
      this.close()
      this.emit('refused', code)
    } else {
      this.emit('event', { name, payload } as DeskEvents['event'])
      ack?.({ ok: true, data: {} })
    }
  }

  private dropped(): void {
    if (!this.entered || this.shown === 'lost') return
    this.show('reconnecting')
  }

  private show(state: LinkState): void {
    if (this.shown === state) return
    this.shown = state
    clearTimeout(this.lost)
    if (state === 'reconnecting') this.lost = setTimeout(() => this.show('lost'), LOST_MS)
    this.emit('link', state)
  }
}

/** The same shape as a participant's snapshot, so that one store keeps both. */
function withoutSeat(desk: DeskSnapshot): Snapshot {
  return {
    ...desk,
    self: { participant_id: '', resume_secret: '', resumed: false, ...desk.self },
    media: { epoch: '', ice_servers: [] },
  }
}
