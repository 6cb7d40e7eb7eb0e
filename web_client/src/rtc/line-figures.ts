/** What one's own line carries, for a small plot: upload and loss, a point every five seconds. Pure but for the probe. */

export interface LinePoint {
  /** megabits a second that were sent */
  mbps: number
  /** percent of what was sent that did not come */
  loss: number
}

interface Counted {
  atMs: number
  bytes: number
}

interface Report {
  type: string
  bytesSent?: number
  headerBytesSent?: number
  fractionLost?: number
}

export const LINE_POINTS = 36
export const LINE_STEP_MS = 5000

/** The next point from the reports of the sending connection; null for the first look, which has nothing to compare with. */
export class LineFigures {
  private before: Counted | null = null

  take(reports: Iterable<Report>, atMs: number): LinePoint | null {
    let bytes = 0
    let lost = 0
    for (const each of reports) {
      if (each.type === 'outbound-rtp') bytes += (each.bytesSent ?? 0) + (each.headerBytesSent ?? 0)
      else if (each.type === 'remote-inbound-rtp') lost = Math.max(lost, each.fractionLost ?? 0)
    }
    const { before } = this
    this.before = { atMs, bytes }
    // Another connection counts from nothing.
    if (!before || bytes < before.bytes || atMs <= before.atMs) return null
    return { mbps: ((bytes - before.bytes) * 8) / 1000 / (atMs - before.atMs), loss: lost * 100 }
  }
}

/** A line of a plot of 120 by 24, the greatest value at the top. */
export function plotPath(values: readonly number[], greatest: number): string {
  const top = Math.max(greatest, ...values, 1e-9)
  const step = 120 / Math.max(1, LINE_POINTS - 1)
  const from = 120 - step * (values.length - 1)
  return values.map((value, at) => `${at === 0 ? 'M' : 'L'}${(from + at * step).toFixed(1)} ${(22 - (20 * value) / top).toFixed(1)}`).join('')
}
