/**
 * Which ways to the server's media are open from here: each is tried by a connection of its own that carries nothing. A firewall
 * is not to be asked; it shows by what does not come through.
 */

export type WayName = 'udp' | 'tcp' | 'https' | 'relay'

export interface Way {
  name: WayName
  state: 'trying' | 'open' | 'shut'
  /** of the server, as the browser sees it; null for the relay */
  port: number | null
}

interface TrialAnswer {
  sdp: string
  ice_servers: RTCIceServer[]
}

export interface NetworkTestOptions {
  createPeer: (configuration: RTCConfiguration) => RTCPeerConnection
  /** gives the server's answer to an offer */
  ask: (sdp: string) => Promise<TrialAnswer>
  /** the port of the page */
  pagePort: number
  changed: (ways: Way[]) => void
}

const PATIENCE_MS = 7000
const CANDIDATE = /^a=candidate:\S+ \d+ (\S+) \d+ \S+ (\d+) /i

/** Tries what the server offers, all at once; resolves when each is known. Rejects when the server does not answer. */
export class NetworkTest {
  private readonly peers = new Set<RTCPeerConnection>()
  private readonly ways: Way[] = []
  private over = false

  constructor(private readonly options: NetworkTestOptions) {}

  async run(): Promise<Way[]> {
    try {
      const first = await this.offer({})
      const offered = waysOf(first.answer.sdp, this.options.pagePort)
      if (first.answer.ice_servers.length > 0) offered.push({ name: 'relay', state: 'trying', port: null })
      this.ways.push(...offered)
      this.tell()
      await Promise.all(offered.map((way, at) => this.attempt(way, at === 0 ? first : null, first.answer.ice_servers)))
      return this.ways
    } finally {
      this.close()
    }
  }

  close(): void {
    this.over = true
    for (const peer of this.peers) peer.close()
    this.peers.clear()
  }

  private async attempt(way: Way, begun: Begun | null, relays: RTCIceServer[]): Promise<void> {
    const viaRelay = way.name === 'relay'
    try {
      const { peer, answer } = begun ?? (await this.offer(viaRelay ? { iceServers: relays, iceTransportPolicy: 'relay' } : {}))
      const sdp = onlyWay(answer.sdp, viaRelay ? 'udp' : way.name, this.options.pagePort)
      const connected = this.connects(peer)
      await peer.setRemoteDescription({ type: 'answer', sdp })
      way.state = (await connected) ? 'open' : 'shut'
      peer.close()
      this.peers.delete(peer)
    } catch {
      way.state = 'shut'
    }
    this.tell()
  }

  private async offer(configuration: RTCConfiguration): Promise<Begun> {
    const peer = this.options.createPeer({ bundlePolicy: 'max-bundle', ...configuration })
    this.peers.add(peer)
    peer.addTransceiver('audio', { direction: 'recvonly' })
    await peer.setLocalDescription(await peer.createOffer())
    const answer = await this.options.ask(peer.localDescription?.sdp ?? '')
    if (this.over) peer.close()
    return { peer, answer }
  }

  private connects(peer: RTCPeerConnection): Promise<boolean> {
    return new Promise((resolve) => {
      const late = setTimeout(() => resolve(false), PATIENCE_MS)
      const look = (): void => {
        if (!['connected', 'failed', 'closed'].includes(peer.connectionState)) return
        clearTimeout(late)
        resolve(peer.connectionState === 'connected')
      }
      peer.addEventListener('connectionstatechange', look)
    })
  }

  private tell(): void {
    if (!this.over) this.options.changed(this.ways.map((way) => ({ ...way })))
  }
}

interface Begun {
  peer: RTCPeerConnection
  answer: TrialAnswer
}

function wayOf(line: string, pagePort: number): Way | null {
  const found = CANDIDATE.exec(line)
  if (!found) return null
  const port = Number(found[2])
  if (found[1]?.toLowerCase() === 'udp') return { name: 'udp', state: 'trying', port }
  return { name: port === pagePort ? 'https' : 'tcp', state: 'trying', port }
}

/** The ways that an answer's candidates name, without repetition. */
export function waysOf(sdp: string, pagePort: number): Way[] {
  const ways: Way[] = []
  for (const line of sdp.split(/\r?\n/)) {
    const way = wayOf(line, pagePort)
    if (way && !ways.some((each) => each.name === way.name)) ways.push(way)
  }
  return ways
}

/** The answer with the candidates of one way alone. */
export function onlyWay(sdp: string, name: WayName, pagePort: number): string {
  const kept = sdp.split(/\r?\n/).filter((line) => {
    const way = wayOf(line, pagePort)
    return way === null || way.name === name
  })
  return kept.join('\r\n')
}
