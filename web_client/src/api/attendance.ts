/** Who was there and who spoke, over REST, and the tables to take away. */
import type { Http } from './http'
import type { Device, Role } from './messages'
import { pathOf } from './preparing'

export interface Stay {
  /** program time; null before going live */
  from_ms: number | null
  to_ms: number | null
  from_wall_ms: number
  /** null: still there */
  to_wall_ms: number | null
  device: Device | null
  reason: string | null
}

export interface AttendanceNote {
  code: 'throughout' | 'late' | 'left_early' | 'dropped' | 'away' | 'absent' | 'excused'
  ms?: number | null
  count?: number | null
}

export interface Attendee {
  /** null: never there */
  participant_id: string | null
  invitee_id: string | null
  name: string
  title: string
  sector: string
  role: Role
  venue: string | null
  device: Device | null
  means: 'client' | 'whip' | 'ingest' | null
  entered_by: string | null
  in_hall: boolean
  present: boolean
  excused: boolean
  sessions: Stay[]
  present_ms: number
  spoken_ms: number
  /** stretches with the floor, in program time; null: still speaking */
  turns?: { from_ms: number; to_ms: number | null }[]
  notes: AttendanceNote[]
}

export interface Share {
  key: string
  label: string
  ms: number
}

export interface Statistics {
  gauge: {
    present: number
    expected: number
    throughout: number
    late: number
    left_early: number
    dropped_and_back: number
    spoke: number
  }
  curve: { at_ms: number; count: number }[]
  peak: { count: number; at_ms: number } | null
  speaking: { by_venue: Share[]; by_role: Share[]; by_sector: Share[]; by_person: Share[] }
  total_speaking_ms: number
  outside_ms: number
  requests: number
  grants: number
  median_wait_ms: number | null
  statements: number
  statement_authors: number
}

export const attendance = (http: Http, cid: string) => {
  const path = pathOf(cid)
  return {
    list: () => http.get<{ items: Attendee[] }>(`${path}/attendance`),
    statistics: () => http.get<Statistics>(`${path}/statistics`),
    table: (kind: 'xlsx' | 'csv') => http.download(`${path}/attendance.${kind}`),
    dutyRecords: () => http.download(`${path}/duty-records.xlsx`),
  }
}
