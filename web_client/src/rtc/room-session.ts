/**
 * One participant's presence in a room: keeps the socket and the two peer connections alive together, in this order: socket, snapshot,
 * media. Everything that recovers by itself is decided here; what is shown is decided elsewhere.
 */
import type { RequestName, Requests, ServerEvent, ServerEvents, Snapshot, Waiting } from '@/api/messages'
import type { Resume } from '@/api/keepsake'
import { RequestError, type Incoming, type RoomSocket } from '@/api/room-socket'
import { Emitter } from './emitter'
import { EncoderProbe, type EncoderWatch } from './encoder-watch'
import { EnvironmentWatch } from './environment-watch'
import { LinkWatch } from './link-watch'
import { PlayoutWatch } from './playout-delay'
import { PublishConnection } from './publish-connection'
import { ReceptionProbe, REPORT_MS } from './reception-report'
import { SubscribeConnection, type RemoteTrack } from './subscribe-connection'

export type LinkState = 'connecting' | 'connected' | 'reconnecting' | 'lost'
export type EndReason = { kind: 'refused'; code: string } | { kind: 'replaced' } | { kind: 'removed'; by: string; reason?: string | undefined } | { kind: 'left' }

interface SessionEvents {
  snapshot: Snapshot
  /** before the door until somebody opens it; the snapshot follows then */
  waiting: Waiting
  /** everything but the snapshot and the media messages */
  event: { [Name in ServerEvent]: { name: Name; payload: ServerEvents[Name] } }[ServerEvent]
  link: LinkState
  tracks: RemoteTrack[]
  ended: EndReason
  /** the socket is back: one's own choices have to be said again */
  returned: Snapshot
  /** new transports: the server knows nothing of what is shown, and everything is sent */
  rebuilt: undefined
  /** all layers of one's own tracks are needed again, until the server says otherwise */
  republished: undefined
  /** how the camera fares on this device */
  encoder: EncoderWatch
}

export interface SessionOptions {
  openSocket: (auth: () => Record<string, unknown>) => RoomSocket
  createPeer: (servers: RTCIceServer[]) => RTCPeerConnection
  token: string
  name: string
  /** the other device on which this link is open has to go */
  takeOver?: boolean
  /** a big screen: it receives, and has no seat */
  screen?: boolean
  kind: 'phone' | 'laptop' | 'wall'
  readResume: () => Resume | null
  keepResume: (resume: Resume) => void
  /** when a picture was last not asked for or not sent, on the clock of performance.now() */
  absentAt?: (publicationId: string, now: number) => number
}

/** Refusals that pass: the server starts, too many came back at once, or another server has the room still. */
const PASSING = new Set(['rate_limited', 'media_unavailable', 'storage_unavailable', 'internal', 'other_node'])
const LOST_MS = 20_000
/** credentials of the relay last for an hour */
const RENEW_MS = 20 * 60_000
const PROBE_MS = 3000
const SNAPSHOT_MS = 8000
const OFFER_PATIENCE_MS = 6000
const RESTART_PAUSE_MS = 1500

export class RoomSession extends Emitter<SessionEvents> {
  readonly publish: PublishConnection
  readonly subscribe: SubscribeConnection
  private readonly socket: RoomSocket
  private readonly environment = new EnvironmentWatch()
  private readonly playout = new PlayoutWatch(() => this.subscribe.peer)
  private readonly encoder: EncoderProbe
  private readonly reception: ReceptionProbe
  private readonly publishWatch: LinkWatch
  private readonly subscribeWatch: LinkWatch
  private iceServers: RTCIceServer[] = []
  private epoch: string | null = null
  private participantId: string | null = null
  private inRoom = false
  private waiting = false
  /** once only: on a way back the secret proves who it is, and whoever took over since keeps the place */
  private takeOver: boolean
  private readonly seen = { publish: false, subscribe: false }
  /** media has connected, or there was nothing to connect */
  private stood = false
  private maySend = false
  private ended = false
  private shown: LinkState = 'connecting'
  private lost: ReturnType<typeof setTimeout> | undefined
  private expectOffer: ReturnType<typeof setTimeout> | undefined
  private restart: ReturnType<typeof setTimeout> | undefined
  private snapshotDue: ReturnType<typeof setTimeout> | undefined
  private probing = false
  private renewal: ReturnType<typeof setInterval> | undefined

  constructor(private readonly options: SessionOptions) {
    super()
    this.takeOver = options.takeOver ?? false
    const createPeer = (): RTCPeerConnection => options.createPeer(this.iceServers)
    this.publish = new PublishConnection({
      signal: async (sdp, tracks) => (await this.request('media.publish', { sdp, tracks })).sdp,
      createPeer,
      smallPicture: options.kind === 'phone',
    })
    this.subscribe = new SubscribeConnection(createPeer)
    this.encoder = new EncoderProbe(
      () => ({ peer: this.publish.peer, camera: this.publish.camera() }),
      (watch) => {
        this.publish.relieve(watch.relief)
        this.emit('encoder', watch)
      },
    )
    this.reception = new ReceptionProbe(
      () => ({ peer: this.subscribe.peer, tracks: this.subscribe.tracks }),
      options.absentAt ?? (() => -Infinity),
      // Lost or refused, the next one says how it is then.
      (items) => this.socket.say('media.report', { interval_ms: REPORT_MS, items }),
    )
    const changed = (): void => this.refresh()
    this.publishWatch = new LinkWatch(() => void this.publish.rebuild(), changed)
    this.subscribeWatch = new LinkWatch(() => this.askForOffer(), changed)
    this.publish.on('state', (state) => this.watched('publish', state))
    this.publish.on('renewed', () => this.emit('republished', undefined))
    this.subscribe.on('state', (state) => this.watched('subscribe', state))
    this.subscribe.on('tracks', (tracks) => this.emit('tracks', tracks))
    this.subscribe.on('broken', () => this.askForOffer())
    this.socket = options.openSocket(() => this.auth())
    this.socket.on('message', (message) => void this.receive(message))
    this.socket.on('down', () => this.dropped())
    this.socket.on('up', () => this.awaitSnapshot())
    this.environment.on('suspect', () => void this.check())
    this.environment.on('offline', () => this.dropped())
  }

  /** for further connections of this page */
  get servers(): RTCIceServer[] {
    return this.iceServers
  }

  get link(): LinkState {
    return this.shown
  }

  start(): void {
    this.environment.start()
    this.renewal = setInterval(() => void this.check(), RENEW_MS)
    this.playout.start()
    this.encoder.start()
    this.reception.start()
    this.socket.open()
  }

  request<Name extends RequestName>(name: Name, payload: Requests[Name][0]): Promise<Requests[Name][1]> {
    return this.socket.request(name, payload)
  }

  /** The reader asks for another try. */
  retryNow(): void {
    this.socket.kick()
  }

  leave(): void {
    this.socket.say('room.leave', {})
    this.end({ kind: 'left' })
  }

  /** Looks whether the links live, and replaces those that do not. */
  async check(): Promise<void> {
    if (this.ended || this.probing) return
    if (!this.socket.up || !this.inRoom) {
      this.socket.kick()
      return
    }
    this.probing = true
    try {
      const snapshot = await this.socket.request('room.sync', {}, PROBE_MS)
      this.iceServers = snapshot.media.ice_servers
      this.emit('snapshot', snapshot)
      this.mendAll(['failed', 'closed'])
    } catch (error) {
      const alive = error instanceof RequestError && !['offline', 'timeout'].includes(error.code)
      if (!alive && !this.ended) this.socket.kick()
    } finally {
      this.probing = false
    }
  }

  private auth(): Record<string, unknown> {
    const { token, name, kind, screen } = this.options
    const resume = this.options.readResume()
    return { token, name, kind, ...(resume ? { resume } : {}), ...(this.takeOver ? { take_over: true } : {}), ...(screen ? { screen } : {}) }
  }

  private async receive({ name, payload, ack }: Incoming): Promise<void> {
    switch (name) {
      case 'room.snapshot':
        this.entered(payload as Snapshot)
        return
      case 'room.waiting':
        this.waits(payload as Waiting)
        return
      case 'media.offer': {
        clearTimeout(this.expectOffer)
        const sdp = await this.subscribe.handle(payload as ServerEvents['media.offer'])
        this.expectOffer = undefined
        if (sdp) ack?.({ sdp })
        this.refresh()
        return
      }
      case 'media.restart':
        this.rebuildAll((payload as ServerEvents['media.restart']).epoch)
        return
      case 'session.refused': {
        const { code } = payload as ServerEvents['session.refused']
        if (!PASSING.has(code)) this.end({ kind: 'refused', code })
        return
      }
      case 'session.replaced':
        this.end({ kind: 'replaced' })
        return
      case 'session.removed':
        this.removed(payload as ServerEvents['session.removed'])
        return
      default:
        this.emit('event', { name, payload } as SessionEvents['event'])
        ack?.({ ok: true, data: {} })
    }
  }

  private removed({ by, reason }: ServerEvents['session.removed']): void {
    this.end({ kind: 'removed', by, ...(reason ? { reason } : {}) })
  }

  private waits(place: Waiting): void {
    if (this.ended) return
    clearTimeout(this.snapshotDue)
    clearTimeout(this.lost)
    this.lost = undefined
    this.options.keepResume({ participant_id: place.participant_id, secret: place.resume_secret })
    this.waiting = true
    this.takeOver = false
    this.show('connecting')
    this.emit('waiting', place)
  }

  /** A server that takes the connection and then says nothing is as good as none. */
  private awaitSnapshot(): void {
    clearTimeout(this.snapshotDue)
    this.snapshotDue = setTimeout(() => {
      if (!this.inRoom && !this.ended) this.socket.kick()
    }, SNAPSHOT_MS)
  }

  private entered(snapshot: Snapshot): void {
    if (this.ended) return
    clearTimeout(this.snapshotDue)
    const { participant_id: id, resume_secret: secret } = snapshot.self
    const returned = this.participantId !== null
    const fresh = this.epoch !== snapshot.media.epoch || this.participantId !== id
    this.options.keepResume({ participant_id: id, secret })
    this.participantId = id
    this.inRoom = true
    this.waiting = this.takeOver = false
    this.maySend = snapshot.self.can.includes('media.publish')
    this.iceServers = snapshot.media.ice_servers
    this.publishWatch.resume()
    this.subscribeWatch.resume()
    this.emit('snapshot', snapshot)
    if (fresh) this.rebuildAll(snapshot.media.epoch, snapshot)
    else this.mendAll(['failed', 'closed', 'disconnected'])
    if (returned || snapshot.self.resumed) this.emit('returned', snapshot)
    this.refresh()
  }

  /** Other media process or other participant: nothing of the old transports is known any more. */
  private rebuildAll(epoch: string, snapshot?: Snapshot): void {
    this.epoch = epoch
    this.subscribe.reset()
    this.subscribeWatch.stop()
    if (this.maySend) void this.publish.rebuild()
    // Offers come by themselves; should they not, and somebody is there to be seen, ask.
    const others = snapshot?.participants.some((each) => each.id !== this.participantId && each.publications.some((one) => one.kind === 'video' || !snapshot.self.in_hall))
    clearTimeout(this.expectOffer)
    this.expectOffer = undefined
    if (others ?? true) this.expectOffer = setTimeout(() => this.askForOffer(), OFFER_PATIENCE_MS)
    this.emit('rebuilt', undefined)
  }

  private mendAll(states: RTCPeerConnectionState[]): void {
    const broken = (peer: RTCPeerConnection | null): boolean => peer !== null && states.includes(peer.connectionState)
    if (this.maySend && this.publish.needed && (!this.publish.peer || broken(this.publish.peer))) void this.publish.rebuild()
    if (broken(this.subscribe.peer)) this.askForOffer()
  }

  private askForOffer(): void {
    clearTimeout(this.expectOffer)
    this.expectOffer = undefined
    clearTimeout(this.restart)
    this.refresh()
    if (this.ended || !this.inRoom) return
    this.subscribe.reset()
    this.socket.request('media.restart', {}).catch((error: unknown) => {
      // While the socket is down the next snapshot sees to it.
      if (error instanceof RequestError && error.code === 'offline') return
      this.restart = setTimeout(() => this.askForOffer(), RESTART_PAUSE_MS)
    })
    this.emit('rebuilt', undefined)
  }

  private watched(which: 'publish' | 'subscribe', state: RTCPeerConnectionState): void {
    const watch = which === 'publish' ? this.publishWatch : this.subscribeWatch
    const { needed } = this[which]
    if (state === 'connected') this.seen[which] = true
    if (!needed && state !== 'connected') watch.stop()
    else watch.update(state)
    // A medium that breaks off is often the first sign of a dead network: ask the socket at once.
    if (state === 'disconnected' || state === 'failed') void this.check()
    this.refresh()
  }

  private dropped(): void {
    if (this.waiting && !this.ended) this.away('reconnecting')
    if (!this.inRoom) return
    this.inRoom = false
    this.publishWatch.pause()
    this.subscribeWatch.pause()
    clearTimeout(this.expectOffer)
    this.refresh()
  }

  private stands(): boolean {
    const sent = this.seen.publish || !(this.maySend && this.publish.needed)
    const received = this.seen.subscribe || !(this.subscribe.needed || this.expectOffer)
    this.stood ||= this.inRoom && sent && received
    return this.stood
  }

  private refresh(): void {
    if (this.participantId === null) return
    const good = this.inRoom && this.publishWatch.good && this.subscribeWatch.good && this.stands()
    if (good) {
      clearTimeout(this.lost)
      this.lost = undefined
      this.show('connected')
    } else {
      this.away(this.stood ? 'reconnecting' : 'connecting')
    }
  }

  private away(state: 'connecting' | 'reconnecting'): void {
    if (this.shown === 'lost') return
    this.show(state)
    this.lost ??= setTimeout(() => this.show('lost'), LOST_MS)
  }

  private show(state: LinkState): void {
    if (this.ended || this.shown === state) return
    this.shown = state
    this.emit('link', state)
  }

  private end(reason: EndReason): void {
    if (this.ended) return
    this.ended = true
    for (const timer of [this.lost, this.expectOffer, this.restart, this.snapshotDue]) clearTimeout(timer)
    clearInterval(this.renewal)
    this.environment.stop()
    this.playout.stop()
    this.encoder.stop()
    this.reception.stop()
    this.publishWatch.stop()
    this.subscribeWatch.stop()
    this.publish.close()
    this.subscribe.close()
    this.emit('ended', reason)
    // After the last words are on their way.
    setTimeout(() => this.socket.close(), 100)
  }
}
