/**
 * The Socket.IO connection to a room: requests with a deadline, and a reconnection of our own.
 * Socket.IO's reconnection cannot be told "try now", which a client needs when the network or the laptop has just come back.
 */
import { Emitter } from '@/rtc/emitter'
import type { Ack, RequestName, Requests, ServerEvent, ServerEvents } from './messages'

/** The part of socket.io-client's Socket that is used; tests bring a fake. */
export interface Wire {
  readonly connected: boolean
  connect(): unknown
  disconnect(): unknown
  on(event: 'connect' | 'connect_error' | 'disconnect', listener: (detail?: unknown) => void): unknown
  onAny(listener: (event: string, ...args: unknown[]) => void): unknown
  emit(event: string, ...args: unknown[]): unknown
}

/** An answer `ok: false`, or the code `offline` or `timeout` of our own. */
export class RequestError extends Error {
  constructor(readonly code: string) {
    super(code)
  }
}

export interface Incoming<Name extends ServerEvent = ServerEvent> {
  name: Name
  payload: ServerEvents[Name]
  ack: ((answer: unknown) => void) | undefined
}

interface SocketEvents {
  up: undefined
  down: undefined
  message: Incoming
}

const DELAYS_MS = [200, 500, 1000, 2000, 3000]
const REQUEST_DEADLINE_MS = 10_000
const CONNECT_MS = 8000
const KICK_PAUSE_MS = 1500

export class RoomSocket extends Emitter<SocketEvents> {
  private wanted = false
  private attempt = 0
  private attemptedAt = -Infinity
  private retry: ReturnType<typeof setTimeout> | undefined
  private guard: ReturnType<typeof setTimeout> | undefined
  private readonly pending = new Set<(error: RequestError) => void>()

  constructor(private readonly wire: Wire) {
    super()
    wire.on('connect', () => {
      this.attempt = 0
      clearTimeout(this.guard)
      this.emit('up', undefined)
    })
    wire.on('connect_error', () => this.schedule())
    wire.on('disconnect', () => this.dropped())
    wire.onAny((event, ...args) => {
      const last = args[args.length - 1]
      const ack = typeof last === 'function' ? (last as (answer: unknown) => void) : undefined
      this.emit('message', { name: event as ServerEvent, payload: args[0] as never, ack })
    })
  }

  get up(): boolean {
    return this.wire.connected
  }

  open(): void {
    this.wanted = true
    this.connect()
  }

  close(): void {
    this.wanted = false
    clearTimeout(this.retry)
    clearTimeout(this.guard)
    this.wire.disconnect()
  }

  /** Try now: a connection that looks alive is thrown away, a waiting attempt does not wait longer. */
  kick(): void {
    // Several signs of one change come together; the attempt that the first one started goes on.
    if (!this.wanted || (!this.wire.connected && performance.now() - this.attemptedAt < KICK_PAUSE_MS)) return
    this.wire.disconnect()
    clearTimeout(this.retry)
    this.attempt = 0
    this.connect()
  }

  request<Name extends RequestName>(
    name: Name,
    payload: Requests[Name][0],
    deadlineMs = REQUEST_DEADLINE_MS,
  ): Promise<Requests[Name][1]> {
    return new Promise((resolve, reject) => {
      if (!this.wire.connected) {
        // Socket.IO would keep the request and send it after the reconnection, when it may be wrong.
        reject(new RequestError('offline'))
        return
      }
      const fail = (error: RequestError): void => {
        clearTimeout(deadline)
        this.pending.delete(fail)
        reject(error)
      }
      const deadline = setTimeout(() => fail(new RequestError('timeout')), deadlineMs)
      this.pending.add(fail)
      this.wire.emit(name, payload, (answer: Ack<Requests[Name][1]>) => {
        if (!this.pending.delete(fail)) return
        clearTimeout(deadline)
        if (answer.ok) resolve(answer.data)
        else reject(new RequestError(answer.error.code))
      })
    })
  }

  /** Words whose answer nobody waits for. */
  say<Name extends RequestName>(name: Name, payload: Requests[Name][0]): void {
    if (this.wire.connected) this.wire.emit(name, payload, () => undefined)
  }

  private dropped(): void {
    for (const fail of [...this.pending]) fail(new RequestError('offline'))
    this.emit('down', undefined)
    this.schedule()
  }

  private schedule(): void {
    if (!this.wanted) return
    clearTimeout(this.retry)
    const delay = DELAYS_MS[Math.min(this.attempt, DELAYS_MS.length - 1)] ?? 3000
    this.attempt += 1
    // Spread, so that a room of two hundred does not knock at a restarted server in one moment.
    this.retry = setTimeout(() => this.connect(), delay * (0.75 + Math.random() * 0.5))
  }

  private connect(): void {
    this.attemptedAt = performance.now()
    clearTimeout(this.guard)
    this.guard = setTimeout(() => {
      if (!this.wire.connected) this.kick()
    }, CONNECT_MS)
    this.wire.connect()
  }
}
