import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { NetworkTest, onlyWay, waysOf, type Way } from '@/rtc/network-test'

const ANSWER = [
  'v=0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=candidate:udpffff 1 udp 2130706431 10.0.0.1 7882 typ host',
  'a=candidate:udpfffe 1 udp 2130706175 10.0.0.2 7882 typ host',
  'a=candidate:tcpfeff 1 tcp 1518280447 10.0.0.1 7882 typ host tcptype passive',
  'a=candidate:tcpfdff 1 tcp 1518214911 10.0.0.1 443 typ host tcptype passive',
  'a=end-of-candidates',
  '',
].join('\r\n')

describe('the ways of an answer', () => {
  it('are told apart by protocol and by the port of the page', () => {
    expect(waysOf(ANSWER, 443).map((way) => [way.name, way.port])).toEqual([
      ['udp', 7882],
      ['tcp', 7882],
      ['https', 443],
    ])
  })

  it('are tried one at a time', () => {
    const only = onlyWay(ANSWER, 'https', 443)
    expect(only).toContain('10.0.0.1 443')
    expect(only).not.toContain('7882')
    expect(only).toContain('a=end-of-candidates')
  })
})

/** Connects, or never does, by the candidates that it is given. */
class Peer extends EventTarget {
  connectionState = 'new'
  closed = false
  localDescription: { sdp: string } | null = null

  constructor(
    private readonly open: readonly string[],
    private readonly relayed: boolean,
  ) {
    super()
  }

  addTransceiver(): void {}

  createOffer(): Promise<{ sdp: string }> {
    return Promise.resolve({ sdp: 'offer' })
  }

  setLocalDescription(description: { sdp: string }): Promise<void> {
    this.localDescription = description
    return Promise.resolve()
  }

  setRemoteDescription({ sdp }: { sdp: string }): Promise<void> {
    const name = this.relayed ? 'relay' : (waysOf(sdp, 443)[0]?.name ?? '')
    if (this.open.includes(name)) {
      this.connectionState = 'connected'
      this.dispatchEvent(new Event('connectionstatechange'))
    }
    return Promise.resolve()
  }

  close(): void {
    this.closed = true
  }
}

describe('a network test', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  async function states(open: string[], relays: RTCIceServer[] = [], answers = Infinity): Promise<[Record<string, string>, Peer[], Way[][]]> {
    let asked = 0
    const peers: Peer[] = []
    const told: Way[][] = []
    const test = new NetworkTest({
      createPeer: ({ iceTransportPolicy }) => {
        const peer = new Peer(open, iceTransportPolicy === 'relay')
        peers.push(peer)
        return peer as unknown as RTCPeerConnection
      },
      ask: () => ((asked += 1) > answers ? Promise.reject(new Error('rate_limited')) : Promise.resolve({ sdp: ANSWER, ice_servers: relays })),
      pagePort: 443,
      changed: (ways) => told.push(ways),
    })
    const running = test.run()
    await vi.advanceTimersByTimeAsync(9000)
    const ways = await running
    return [Object.fromEntries(ways.map((way) => [way.name, way.state])), peers, told]
  }

  it('says of each way whether it is open', async () => {
    const [found] = await states(['tcp', 'https'])
    expect(found).toEqual({ udp: 'shut', tcp: 'open', https: 'open' })
  })

  it('tries the relay where there is one', async () => {
    const [found] = await states(['relay'], [{ urls: ['turns:x.example:443'], username: 'u', credential: 'c' }])
    expect(found).toEqual({ udp: 'shut', tcp: 'shut', https: 'shut', relay: 'open' })
  })

  it('asks for nothing more when the shortest way is open', async () => {
    const [found, peers, told] = await states(['udp', 'tcp', 'relay'], [{ urls: ['turns:x.example:443'], username: 'u', credential: 'c' }])
    expect(found).toEqual({ udp: 'open' })
    expect(peers).toHaveLength(1)
    expect(told.at(-1)?.map((way) => way.state)).toEqual(['open'])
  })

  it('leaves no connection behind', async () => {
    const [, peers] = await states(['tcp'])
    expect(peers).toHaveLength(3)
    expect(peers.every((peer) => peer.closed)).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('measures the best way that is open, while the others are closed', async () => {
    const peers: Peer[] = []
    let measured: Peer | null = null
    let done: () => void = () => undefined
    const test = new NetworkTest({
      createPeer: ({ iceTransportPolicy }) => {
        peers.push(new Peer(['tcp', 'https', 'relay'], iceTransportPolicy === 'relay'))
        return peers.at(-1) as unknown as RTCPeerConnection
      },
      ask: () => Promise.resolve({ sdp: ANSWER, ice_servers: [{ urls: ['turns:x.example:443'], username: 'u', credential: 'c' }] }),
      pagePort: 443,
      changed: () => undefined,
      measure: (peer) => {
        measured = peer as unknown as Peer
        return new Promise((resolve) => (done = resolve))
      },
    })
    const running = test.run()
    await vi.advanceTimersByTimeAsync(9000)
    expect(peers.indexOf(measured as unknown as Peer)).toBe(1) // asked for in the order of the candidates: UDP, then TCP
    expect(peers.map((peer) => peer.closed)).toEqual([true, false, true, true])
    done()
    await running
    expect(peers.every((peer) => peer.closed)).toBe(true)
  })

  it('does not blame the network for what the server refused to try', async () => {
    const [found] = await states([], [{ urls: ['turns:x.example:443'], username: 'u', credential: 'c' }], 1)
    expect(found).toEqual({ udp: 'shut', tcp: 'unknown', https: 'unknown', relay: 'unknown' })
  })

  it('does not blame the network for a relay that was reached and said no', async () => {
    const full = Object.assign(new Event('icecandidateerror'), { errorCode: 486 })
    const peers: Peer[] = []
    const test = new NetworkTest({
      createPeer: ({ iceTransportPolicy }) => {
        peers.push(new Peer([], iceTransportPolicy === 'relay'))
        return peers.at(-1) as unknown as RTCPeerConnection
      },
      ask: () => Promise.resolve({ sdp: ANSWER, ice_servers: [{ urls: ['turns:x.example:443'], username: 'u', credential: 'c' }] }),
      pagePort: 443,
      changed: () => undefined,
    })
    const running = test.run()
    await vi.advanceTimersByTimeAsync(1500)
    peers.at(-1)?.dispatchEvent(full)
    await vi.advanceTimersByTimeAsync(8000)
    expect((await running).find((way) => way.name === 'relay')?.state).toBe('unknown')
  })

  it('ends at once when the page is left', async () => {
    const test = new NetworkTest({
      createPeer: () => new Peer([], false) as unknown as RTCPeerConnection,
      ask: () => Promise.resolve({ sdp: ANSWER, ice_servers: [] }),
      pagePort: 443,
      changed: () => undefined,
    })
    const running = test.run()
    await vi.advanceTimersByTimeAsync(100)
    test.close()
    await running
    expect(vi.getTimerCount()).toBe(0)
  })

  it('fails as a whole when the server does not answer', async () => {
    const test = new NetworkTest({
      createPeer: () => new Peer([], false) as unknown as RTCPeerConnection,
      ask: () => Promise.reject(new Error('offline')),
      pagePort: 443,
      changed: () => undefined,
    })
    await expect(test.run()).rejects.toThrow('offline')
  })
})
