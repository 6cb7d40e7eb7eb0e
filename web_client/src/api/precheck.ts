/** Pre-checks of venues (联调单) over HTTP: what figures mean is found by the server alone. */
import { Http } from './http'

export const ITEMS = ['camera', 'light', 'microphone', 'loudspeaker', 'echo', 'network', 'clock', 'projection', 'nameplate'] as const
export type PrecheckItem = (typeof ITEMS)[number]
export type Verdict = 'passed' | 'warning' | 'failed' | 'skipped'
export type ProblemName = '' | 'denied' | 'missing' | 'busy' | 'insecure' | 'unsupported' | 'failed'
export type LineWay = 'udp' | 'tcp' | 'https' | 'relay' | 'none' | 'unknown'

export interface FiguresOf {
  camera: { problem: ProblemName; width: number; height: number; frames_per_s: number; still_ms: number; watched_ms: number }
  light: { seen: boolean; mean: number; contrast: number; bright_share: number }
  microphone: {
    problem: ProblemName
    speech_dbfs: number
    noise_dbfs: number
    clipped_share: number
    left_dbfs: number | null
    right_dbfs: number | null
    heard_ms: number
  }
  loudspeaker: { played: boolean; notes_played: number; notes_heard: number; above_noise_db: number }
  echo: { played: boolean; direct_dbfs: number | null; return_dbfs: number | null }
  network: {
    way: LineWay
    up_bps: number | null
    down_bps: number | null
    up_loss: number | null
    down_loss: number | null
    rtt_ms: number | null
    jitter_ms: number | null
    measured_ms: number
  }
  clock: { offset_ms: number; uncertainty_ms: number }
  projection: { width: number; height: number; answer: 'whole' | 'cropped' | 'unseen' }
  nameplate: { shown: string; answer: 'right' | 'wrong'; wanted: string }
}
export type Figures = FiguresOf[PrecheckItem]

export interface Judgement {
  verdict: Verdict
  /** stable codes, the gravest first */
  faults: string[]
}

export interface CheckedItem extends Judgement {
  item: PrecheckItem
  figures: Figures | null
  reason: string
}

/** A sheet that was handed in. */
export interface Precheck {
  id: string
  venue_id: string
  venue: string
  number: number
  by: string
  verdict: Verdict
  took_ms: number
  ended_wall_ms: number
  items: CheckedItem[]
}

export interface Opening {
  consultation: { id: string; title: string; status: string; scheduled_at_ms: number | null }
  venue: { id: string; name: string; kind: string }
  plates: string[]
  last: Precheck | null
}

export interface HandedIn {
  took_ms: number
  items: { item: PrecheckItem; figures: Figures | null; reason: string }[]
}

export class PrecheckApi {
  private readonly http: Http
  private readonly path: string

  constructor(token: string, cid: string) {
    this.http = new Http(token)
    this.path = `/consultations/${encodeURIComponent(cid)}`
  }

  /** `venue`: staff name one; an operator has one. */
  open(venue: string | null): Promise<Opening> {
    return this.http.get(`${this.path}/precheck`, { venue })
  }

  judge(item: PrecheckItem, figures: Figures): Promise<Judgement> {
    return this.http.send('POST', `${this.path}/precheck/judgement`, { checked: { item, figures } })
  }

  handIn(venueId: string, sheet: HandedIn): Promise<Precheck> {
    return this.http.send('POST', `${this.of(venueId)}`, sheet)
  }

  /** The last one of each venue. */
  async newest(): Promise<Precheck[]> {
    return (await this.http.get<{ items: Precheck[] }>(`${this.path}/prechecks`)).items
  }

  /** All of a venue, the newest first. */
  async history(venueId: string): Promise<Precheck[]> {
    return (await this.http.get<{ items: Precheck[] }>(this.of(venueId))).items
  }

  paper({ venue_id: venue, id }: Pick<Precheck, 'venue_id' | 'id'>): Promise<Blob> {
    return this.http.download(`${this.of(venue)}/${encodeURIComponent(id)}.pdf`)
  }

  private of(venueId: string): string {
    return `${this.path}/venues/${encodeURIComponent(venueId)}/prechecks`
  }
}

/** What time it is on the server, UTC ms. */
export async function serverTime(): Promise<number> {
  return (await new Http(null).get<{ now_ms: number }>('/time')).now_ms
}
