/**
 * The peer connection that receives: the server offers, this answers. Slots are reused, so what a track carries is told by the
 * mapping sent with each offer, never by the track's own id.
 */
import type { MediaOffer, Source } from '@/api/messages'
import { Emitter } from './emitter'

export interface RemoteTrack {
  publicationId: string
  participantId: string
  source: Source
  track: MediaStreamTrack
}

interface SubscribeEvents {
  tracks: RemoteTrack[]
  state: RTCPeerConnectionState
  /** the offer could not be taken; only a fresh transport helps */
  broken: undefined
}

export class SubscribeConnection extends Emitter<SubscribeEvents> {
  peer: RTCPeerConnection | null = null
  /** what the last offer put where */
  tracks: RemoteTrack[] = []
  /** the transport before this one: kept until the new tracks stand, so that the last pictures stay to be seen */
  private retired: RTCPeerConnection | null = null
  private transport = ''
  private abandoned = ''
  private generation = -1
  private queue: Promise<unknown> = Promise.resolve()
  private closed = false

  constructor(private readonly createPeer: () => RTCPeerConnection) {
    super()
  }

  get needed(): boolean {
    return (this.peer?.getTransceivers().length ?? 0) > 0
  }

  /** The answer, or null when the offer is out of date or could not be taken. */
  handle(offer: MediaOffer): Promise<string | null> {
    const turn = this.queue.then(() => this.answer(offer))
    this.queue = turn.catch(() => undefined)
    return turn
  }

  /** Lets the transport go; offers that still come for it are ignored. */
  reset(): void {
    this.abandoned = this.transport
    this.transport = ''
    this.generation = -1
    if (!this.peer) return
    this.retired?.close()
    this.retired = this.peer
    this.peer = null
  }

  close(): void {
    this.closed = true
    this.reset()
    this.retired?.close()
  }

  private async answer(offer: MediaOffer): Promise<string | null> {
    if (this.closed) return null
    const transport = transportOf(offer.sdp)
    if (transport === this.abandoned) return null
    if (transport !== this.transport) {
      this.reset()
      this.transport = transport
    } else if (offer.generation < this.generation) {
      return null
    }
    this.generation = offer.generation
    const peer = this.peer ?? this.openPeer()
    try {
      await peer.setRemoteDescription({ type: 'offer', sdp: offer.sdp })
      await peer.setLocalDescription(await peer.createAnswer())
    } catch {
      if (peer === this.peer) {
        this.reset()
        this.emit('broken', undefined)
      }
      return null
    }
    if (peer !== this.peer) return null
    this.tracks = this.mapped(peer, offer)
    this.emit('tracks', this.tracks)
    this.retired?.close()
    this.retired = null
    return peer.localDescription?.sdp ?? null
  }

  private openPeer(): RTCPeerConnection {
    const peer = this.createPeer()
    this.peer = peer
    peer.addEventListener('connectionstatechange', () => {
      if (peer === this.peer) this.emit('state', peer.connectionState)
    })
    return peer
  }

  private mapped(peer: RTCPeerConnection, offer: MediaOffer): RemoteTrack[] {
    const tracks: RemoteTrack[] = []
    const transceivers = new Map(peer.getTransceivers().map((each) => [each.mid, each]))
    for (const line of offer.tracks) {
      const transceiver = transceivers.get(line.mid)
      if (!transceiver) continue
      tracks.push({
        publicationId: line.publication_id,
        participantId: line.participant_id,
        source: line.source,
        track: transceiver.receiver.track,
      })
    }
    return tracks
  }
}

/** Which transport an offer is for: the server changes the session id and the ICE name only with the transport. */
export function transportOf(sdp: string): string {
  const origin = /^o=\S+ (\S+) /m.exec(sdp)?.[1] ?? ''
  const ufrag = /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1] ?? ''
  return `${origin}/${ufrag}`
}
