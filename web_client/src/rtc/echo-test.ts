/**
 * Delay and loss of a connection whose server sends back what it gets, under numbers of its own: what is missing in those was lost on the way
 * down, what the server did not number on the way up. A small picture of noise is sent for it; nothing of camera or microphone.
 */

export interface Echo {
  /** round trip to the server; null: the browser does not say */
  rttMs: number | null
  /** shares of 1; null: nothing was sent */
  upLoss: number | null
  downLoss: number | null
}

const WIDTH = 128
const HEIGHT = 96
const FRAMES_PER_S = 30
const MAX_BPS = 250_000
const LASTS_MS = 4000
/** for what is still on its way */
const TAIL_MS = 600
/** Of fewer packets a share says nothing. */
const FEWEST = 30

export interface Counts {
  sent: number
  received: number
  lost: number
  rttMs: number | null
}

export class EchoTest {
  private readonly canvas = document.createElement('canvas')
  private readonly context = this.canvas.getContext('2d')
  private readonly track: MediaStreamTrack | null
  private timer: ReturnType<typeof setInterval> | undefined
  private wake: (() => void) | null = null

  constructor() {
    this.canvas.width = WIDTH
    this.canvas.height = HEIGHT
    const canvas = this.canvas as HTMLCanvasElement & { captureStream?: (rate: number) => MediaStream }
    this.track = (this.context && canvas.captureStream?.(FRAMES_PER_S).getVideoTracks()[0]) ?? null
  }

  /** Offers the noise, or only a place for it where the browser has no picture to send. */
  attach(peer: RTCPeerConnection): void {
    if (!this.track) {
      peer.addTransceiver('audio', { direction: 'recvonly' })
      return
    }
    const transceiver = peer.addTransceiver(this.track, { direction: 'sendrecv', sendEncodings: [{ maxBitrate: MAX_BPS }] })
    // Repairs would be counted as losses.
    const known = RTCRtpReceiver.getCapabilities('video')?.codecs.filter((each) => each.mimeType.toLowerCase() === 'video/vp8') ?? []
    if (known.length) (transceiver as Partial<RTCRtpTransceiver>).setCodecPreferences?.(known)
  }

  /** Some seconds; less when it is closed. */
  async measure(peer: RTCPeerConnection): Promise<Echo> {
    return echoOf(await this.count(peer, LASTS_MS))
  }

  /** The packets of so long a time. The server keeps such a connection for fifteen seconds. */
  async count(peer: RTCPeerConnection, lastsMs: number): Promise<Counts> {
    this.paint()
    this.timer = setInterval(() => this.paint(), 1000 / FRAMES_PER_S)
    await this.pause(lastsMs)
    clearInterval(this.timer)
    await this.pause(TAIL_MS)
    return countsOf(peer)
  }

  close(): void {
    clearInterval(this.timer)
    this.track?.stop()
    this.wake?.()
  }

  private paint(): void {
    if (!this.context) return
    const noise = this.context.createImageData(WIDTH, HEIGHT)
    for (let at = 0; at < noise.data.length; at += 4) {
      noise.data.fill(Math.random() * 256, at, at + 3)
      noise.data[at + 3] = 255
    }
    this.context.putImageData(noise, 0, 0)
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

export async function countsOf(peer: RTCPeerConnection): Promise<Counts> {
  const counts: Counts = { sent: 0, received: 0, lost: 0, rttMs: null }
  ;(await peer.getStats()).forEach((report: Record<string, unknown>) => {
    const number = (key: string): number => (typeof report[key] === 'number' ? report[key] : 0)
    if (report.type === 'outbound-rtp') counts.sent += number('packetsSent')
    if (report.type === 'inbound-rtp') {
      counts.received += number('packetsReceived')
      counts.lost += Math.max(0, number('packetsLost'))
    }
    // Of the pair that is used; the others of this connection were checked once or twice.
    if (report.type === 'candidate-pair' && report.nominated === true && number('responsesReceived') > 0) {
      counts.rttMs = Math.round((1000 * number('totalRoundTripTime')) / number('responsesReceived'))
    }
  })
  return counts
}

/** What the numbers of packets say. */
export function echoOf({ sent, received, lost, rttMs }: Counts): Echo {
  if (sent < FEWEST) return { rttMs, upLoss: null, downLoss: null }
  const arrived = Math.min(sent, received + lost)
  return { rttMs, upLoss: (sent - arrived) / sent, downLoss: arrived > 0 ? Math.min(1, lost / arrived) : null }
}
