/**
 * What this reader shows and how large, told to the server (media.wish), so that it sends no more than that.
 * Changes are gathered; nothing is said twice; a page that nobody looks at asks for sound alone after a while.
 */
import type { TrackWish } from '@/api/messages'
import { RequestError } from '@/api/room-socket'

const GATHER_MS = 30
const PAUSE_MS = 300
const HIDDEN_MS = 10_000
const RETRY_MS = 3000
/** Refusals that pass. While the line is down the next connection says it anyway. */
const PASSING = new Set(['timeout', 'rate_limited', 'media_unavailable'])
const MOST = 200

export class WishSender {
  private readonly shown = new Map<object, TrackWish>()
  private settled = false
  private said: string | null = null
  private ready = false
  private blind = false
  private lastAt = -Infinity
  private due: ReturnType<typeof setTimeout> | undefined
  private blinding: ReturnType<typeof setTimeout> | undefined
  /** publication → when it was last not asked for, on the clock of performance.now() */
  private readonly absent = new Map<string, number>()

  constructor(private readonly send: (items: TrackWish[]) => Promise<unknown>) {}

  /** A tile shows a picture, or none any more. Tiles of the same picture come together at the larger size. */
  show(tile: object, wish: TrackWish | null): void {
    if (wish) this.shown.set(tile, wish)
    else if (!this.shown.delete(tile)) return
    this.schedule()
  }

  /** The page stands as it is to be: if it shows no picture, none is wished for. */
  settle(): void {
    this.settled = true
    this.schedule()
  }

  /** The page is shown, or in the background. */
  look(visible: boolean): void {
    clearTimeout(this.blinding)
    if (!visible) {
      this.blinding = setTimeout(() => this.turn(true), HIDDEN_MS)
      return
    }
    this.turn(false)
  }

  /** The server has forgotten: a new connection, or new transports. */
  again(): void {
    this.ready = true
    this.said = null
    this.schedule()
  }

  /** The room is left. Whether the page is looked at goes on to be followed, for the next one. */
  stop(): void {
    this.ready = false
    clearTimeout(this.due)
    this.due = undefined
    this.said = null
    this.settled = false
    this.absent.clear()
  }

  /** When the picture was last not asked for; what stood still then was meant to. */
  absentAt(publicationId: string, now: number): number {
    const asked = !this.blind && [...this.shown.values()].some((each) => each.publication_id === publicationId)
    return asked ? (this.absent.get(publicationId) ?? -Infinity) : now
  }

  private turn(blind: boolean): void {
    if (this.blind === blind) return
    this.blind = blind
    this.schedule()
  }

  private schedule(): void {
    if (!this.ready || this.due !== undefined) return
    const wait = Math.max(GATHER_MS, this.lastAt + PAUSE_MS - performance.now())
    this.due = setTimeout(() => this.say(), wait)
  }

  private say(): void {
    this.due = undefined
    const items = this.blind ? [] : this.items()
    const text = JSON.stringify(items)
    // Before the first tile stands, nothing is known of what will be shown.
    const unknown = this.said === null && this.shown.size === 0 && !this.blind && !this.settled
    if (!this.ready || text === this.said || unknown) return
    this.note(items)
    this.said = text
    this.lastAt = performance.now()
    this.send(items).catch((error: unknown) => {
      if (this.said !== text) return
      this.said = null
      if (this.ready && error instanceof RequestError && PASSING.has(error.code)) {
        clearTimeout(this.due)
        this.due = setTimeout(() => this.say(), RETRY_MS)
      }
    })
  }

  private items(): TrackWish[] {
    const largest = new Map<string, TrackWish>()
    for (const wish of this.shown.values()) {
      const other = largest.get(wish.publication_id)
      if (!other || other.height < wish.height) largest.set(wish.publication_id, wish)
    }
    const order = [...largest.values()].sort((one, two) => two.priority - one.priority || two.height - one.height)
    return order.slice(0, MOST).sort((one, two) => (one.publication_id < two.publication_id ? -1 : 1))
  }

  /** Pictures that come into the wish were absent up to now. */
  private note(items: TrackWish[]): void {
    const now = performance.now()
    const before = new Set((JSON.parse(this.said ?? '[]') as TrackWish[]).map((each) => each.publication_id))
    for (const { publication_id: id } of items) if (!before.has(id)) this.absent.set(id, now)
  }
}

/** Above two pixels to a point nobody sees a difference, and telephones have three. */
const SHARPEST = 2
const STEP = 8 // pixels; a window that is dragged says less this way

/** The size in device pixels at which a picture is shown in a box: cut off at the edges, or whole. */
export function shownSize(
  box: { width: number; height: number },
  fit: 'contain' | 'cover',
  aspect: number,
  pixelRatio: number,
): { width: number; height: number } | null {
  if (box.width < 1 || box.height < 1) return null
  const whole = box.width / aspect
  const height = (fit === 'contain' ? Math.min(whole, box.height) : Math.max(whole, box.height)) * Math.min(pixelRatio, SHARPEST)
  const step = (length: number): number => Math.max(STEP, Math.min(16_384, Math.round(length / STEP) * STEP))
  return { width: step(height * aspect), height: step(height) }
}
