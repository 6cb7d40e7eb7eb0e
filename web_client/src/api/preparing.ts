/** Preparing a consultation over REST: its fields, files, readiness, and the steps of its life. */
import type { Http } from './http'
import type { IdentityKind } from './viewer-identity'

export type ConsultationStatus = 'draft' | 'scheduled' | 'rehearsal' | 'live' | 'ended' | 'archived' | 'postponed' | 'cancelled'
export type ConsultationKind = 'thematic' | 'counterpart' | 'sector' | 'proposal' | 'other'
export const CONSULTATION_KINDS: readonly ConsultationKind[] = ['thematic', 'counterpart', 'sector', 'proposal', 'other']

export interface PreparedConsultation {
  id: string
  title: string
  status: ConsultationStatus
  mode: 'free' | 'agenda' | 'chair'
  kind: ConsultationKind
  organization: string | null
  organization_id: string | null
  briefing: string
  scheduled_at_ms: number | null
  ends_at_ms: number | null
  closing_at_ms: number | null
  started_at_ms: number | null
  ended_at_ms: number | null
  is_public: boolean
  waiting_room: boolean
  microphone_on_join: boolean
  recording: boolean
  /** absent on servers without them */
  program?: boolean
  captions?: boolean
  public_delay_s?: number
  comment_identity?: 'optional' | 'required'
  revision: number
}

export type EditableField =
  | 'title'
  | 'briefing'
  | 'kind'
  | 'scheduled_at_ms'
  | 'ends_at_ms'
  | 'closing_at_ms'
  | 'is_public'
  | 'waiting_room'
  | 'microphone_on_join'
  | 'recording'
  | 'program'
  | 'captions'
  | 'public_delay_s'
  | 'comment_identity'
  | 'mode'
  | 'organization'
export type Edit = Partial<Pick<PreparedConsultation, EditableField>>

export type Part = 'basics' | 'venues' | 'invitees' | 'agenda' | 'links'
export interface Missing {
  code: string
  part: Part
  count: number
}
export interface Readiness {
  ready: boolean
  missing: Missing[]
}

export interface BriefingFile {
  id: string
  name: string
  media_type: string
  size_bytes: number
  sha256: string
  added_at_ms: number
  added_by: string
}

export const pathOf = (cid: string): string => `/consultations/${encodeURIComponent(cid)}`

export const preparing = (http: Http, cid: string) => {
  const path = pathOf(cid)
  return {
    consultation: () => http.get<PreparedConsultation>(path),
    identityKinds: () => http.get<{ kinds: IdentityKind[] }>(`${path}/identity`),
    edit: (revision: number, edit: Edit) => http.send<PreparedConsultation>('PATCH', path, { revision, ...edit }),
    readiness: () => http.get<Readiness>(`${path}/readiness`),
    publish: () => http.send<PreparedConsultation>('POST', `${path}/publish`),
    unpublish: () => http.send<PreparedConsultation>('POST', `${path}/unpublish`),
    postpone: (reason: string) => http.send<PreparedConsultation>('POST', `${path}/postpone`, { reason }),
    cancel: (reason: string) => http.send<PreparedConsultation>('POST', `${path}/cancel`, { reason }),
    seal: () => http.send<PreparedConsultation>('POST', `${path}/seal`),
    files: () => http.get<{ items: BriefingFile[] }>(`${path}/files`),
    addFile: (file: File) => http.upload<BriefingFile>(`${path}/files`, file, { name: file.name }),
    readFile: (id: string) => http.download(`${path}/files/${id}`),
    removeFile: (id: string) => http.send<undefined>('DELETE', `${path}/files/${id}`),
  }
}
export type Preparing = ReturnType<typeof preparing>
