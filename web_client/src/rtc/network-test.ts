/**
 * Which ways to the server's media are open from here: each is tried by a connection of its own. A firewall is not to be asked; it shows by
 * what does not come through. The best of those that are open stays for a while, to be measured.
 */

export type WayName = 'udp' | 'tcp' | 'https' | 'relay'

export interface Way {
  name: WayName
  /** `unknown`: it could not be tried; the server or the relay refused */
  state: 'trying' | 'open' | 'shut' | 'unknown'
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
  /** adds what is to be offered; without it a connection carries nothing */
  prepare?: (peer: RTCPeerConnection) => void
  /** gets the connection by the best way that is open; it is closed when this resolves */
  measure?: (peer: RTCPeerConnection) => Promise<void>
}

const PATIENCE_MS = 7000
/** The shortest way alone first: when it is open nobody asks for the others, and a whole room that comes at once costs the server less. */
const HEAD_START_MS = 1000
const BEST_FIRST: WayName[] = ['udp', 'tcp', 'https', 'relay']
const CANDIDATE = /^a=candidate:\S+ \d+ (\S+) \d+ \S+ (\d+) /i

/**
 * Tries UDP, and if that does not come about at once, all else that the server offers; resolves when each is known. Rejects when the server
 * does not answer.
 */
export class NetworkTest {
  private readonly peers = new Set<RTCPeerConnection>()
  private readonly connected = new Map<WayName, RTCPeerConnection>()
  private readonly waiting = new Set<() => void>()
  private ways: Way[] = []
  private over = false

  constructor(private readonly options: NetworkTestOptions) {}

  async run(): Promise<Way[]> {
    try {
      const first = await this.offer({})
      const relays = first.answer.ice_servers
      const [shortest, ...others] = waysOf(first.answer.sdp, this.options.pagePort)
      if (!shortest) return []
      if (relays.length > 0) others.push({ name: 'relay', state: 'trying', port: null })
      this.ways = [shortest]
      this.tell()
      const ahead = this.attempt(shortest, first, relays)
      if (shortest.name === 'udp') await Promise.race([ahead, this.pause(HEAD_START_MS)])
      if (shortest.state !== 'open' && !this.over) {
        this.ways.push(...others)
        this.tell()
        await Promise.all([ahead, ...others.map((way) => this.attempt(way, null, relays))])
      }
      const best = BEST_FIRST.map((name) => this.connected.get(name)).find((peer) => peer !== undefined)
      if (best && !this.over) {
        this.drop([...this.peers].filter((peer) => peer !== best))
        await this.options.measure?.(best)
      }
      return this.ways
    } finally {
      this.close()
    }
  }

  close(): void {
    this.over = true
    this.drop([...this.peers])
    for (const done of [...this.waiting]) done()
  }

  private drop(peers: RTCPeerConnection[]): void {
    for (const peer of peers) {
      peer.close()
      this.peers.delete(peer)
    }
  }

  private async attempt(way: Way, begun: Begun | null, relays: RTCIceServer[]): Promise<void> {
    const viaRelay = way.name === 'relay'
    try {
      const { peer, answer } = begun ?? (await this.offer(viaRelay ? { iceServers: relays, iceTransportPolicy: 'relay' } : {}))
      const sdp = onlyWay(answer.sdp, viaRelay ? 'udp' : way.name, this.options.pagePort)
      let refused = false
      // Codes of STUN are the relay's own words, so that it was reached; those above tell of the way to it.
      peer.addEventListener('icecandidateerror', ({ errorCode }) => (refused ||= errorCode < 700))
      const connected = this.connects(peer)
      await peer.setRemoteDescription({ type: 'answer', sdp })
      const open = await connected
      way.state = open ? 'open' : refused ? 'unknown' : 'shut'
      if (open) this.connected.set(way.name, peer)
      else this.drop([peer])
    } catch {
      // Not the network: the server did not answer this time, or the browser did not take the answer.
      way.state = 'unknown'
    }
    this.tell()
  }

  private async offer(configuration: RTCConfiguration): Promise<Begun> {
    const peer = this.options.createPeer({ bundlePolicy: 'max-bundle', ...configuration })
    this.peers.add(peer)
    if (this.options.prepare) this.options.prepare(peer)
    else peer.addTransceiver('audio', { direction: 'recvonly' })
    await peer.setLocalDescription(await peer.createOffer())
    const answer = await this.options.ask(peer.localDescription?.sdp ?? '')
    if (this.over) peer.close()
    return { peer, answer }
  }

  private connects(peer: RTCPeerConnection): Promise<boolean> {
    const over = this.pause(PATIENCE_MS).then(() => false)
    const settled = new Promise<boolean>((resolve) => {
      peer.addEventListener('connectionstatechange', () => {
        if (['connected', 'failed', 'closed'].includes(peer.connectionState)) resolve(peer.connectionState === 'connected')
      })
    })
    return Promise.race([settled, over])
  }

  /** Ends early when the test does. */
  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        this.waiting.delete(done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      this.waiting.add(done)
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
