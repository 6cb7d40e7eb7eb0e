/**
 * How a camera is sent in several sizes: which layers there are, how large each is, and which of them are sent now.
 * A layer is named by its RID, in rising size: q (quarter), h (half), f (full). A camera with one encoding has no name.
 */

export type LayerName = 'q' | 'h' | 'f'

/** What decides which layers are sent. */
export interface Sending {
  /** the longer side of the camera's picture in pixels */
  longSide: number
  /** the layers that somebody looks at; null when nobody has said so yet */
  needed: readonly string[] | null
  /** 0 as it should be; 1 without the largest layer; 2 at half the rate as well */
  relief: number
}

/** Chromium sends only as many layers as the picture is large enough for, counted from the smallest: the largest would be missing. */
const THREE_FROM = 960
const TWO_FROM = 480

const LARGE_BPS = [1_500_000, 500_000, 150_000] // from the largest layer down
const SMALL_BPS = [800_000, 200_000, 100_000]
const RELIEVED_FPS = 12
export const MOST_RELIEF = 2

/** Which layers a new m-line has; none for a camera whose picture is sent in one size. A telephone encodes two at most. */
export function layersFor(longSide: number, phone: boolean): LayerName[] {
  if (longSide >= THREE_FROM && !phone) return ['q', 'h', 'f']
  return longSide >= TWO_FROM ? ['h', 'f'] : []
}

/**
 * The parameters of each encoding. The names say only the order: after a change to a smaller camera the upper ones have no use and the
 * size stands in the layers below. `names` is empty for one encoding.
 */
export function encodingsFor(names: readonly string[], sending: Sending): RTCRtpEncodingParameters[] {
  const count = Math.max(1, names.length)
  const fitting = sending.longSide >= THREE_FROM ? 3 : sending.longSide >= TWO_FROM ? 2 : 1
  const used = Math.min(count, fitting)
  // With one encoding there is nothing to leave out, so its rate goes down at once.
  const sent = sending.relief > 0 && used > 1 ? used - 1 : used
  const slower = sending.relief > 1 || (sending.relief > 0 && used === 1)
  const active = activeOf(names, sending.needed, sent)
  const rates = fitting === 3 ? LARGE_BPS : SMALL_BPS
  return Array.from({ length: count }, (_, at) => ({
    ...(names.length > 0 ? { rid: names[at] ?? '' } : {}),
    active: active.has(at),
    scaleResolutionDownBy: at < used ? 2 ** (used - 1 - at) : 1,
    maxBitrate: rates[Math.max(0, used - 1 - at)] ?? 100_000,
    ...(slower ? { maxFramerate: RELIEVED_FPS } : {}),
    priority: 'low',
  }))
}

/** Who needs a layer that is not sent gets the one below it. A name that is not known says nothing: then all are sent. */
function activeOf(names: readonly string[], needed: readonly string[] | null, sent: number): Set<number> {
  const all = new Set(Array.from({ length: sent }, (_, at) => at))
  if (needed === null) return all
  if (names.length === 0) return needed.length > 0 ? all : new Set()
  const wanted = needed.map((name) => names.indexOf(name))
  return wanted.includes(-1) ? all : new Set(wanted.map((at) => Math.min(at, sent - 1)))
}

/** Whether a sender has to be told: browsers begin with new keyframes when it is. */
export function differ(one: readonly RTCRtpEncodingParameters[], two: readonly RTCRtpEncodingParameters[]): boolean {
  return one.some((each, at) => {
    const other = two[at]
    return (
      other !== undefined &&
      ((each.active ?? true) !== (other.active ?? true) ||
        (each.scaleResolutionDownBy ?? 1) !== (other.scaleResolutionDownBy ?? 1) ||
        each.maxBitrate !== other.maxBitrate ||
        each.maxFramerate !== other.maxFramerate)
    )
  })
}
