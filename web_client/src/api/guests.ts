/** Venues, invitees, the import of a list of names, and everybody's links over REST. */
import type { Http } from './http'
import type { Role } from './messages'
import { pathOf } from './preparing'

export type VenueKind = 'main' | 'branch' | 'point'
export const VENUE_KINDS: readonly VenueKind[] = ['main', 'branch', 'point']

export interface Venue {
  id: string
  position: number
  name: string
  kind: VenueKind
  place: string
  operator_name: string
  /** these four only for those who may see them */
  operator_phone: string | null
  entry_code: string | null
  link: string | null
  /** of the hall's big screen */
  screen_link?: string | null
}
export type VenueDraft = Pick<Venue, 'name' | 'kind' | 'place' | 'operator_name'> & { operator_phone: string }

export const INVITED_ROLES: readonly Role[] = ['chair', 'member', 'department', 'expert', 'citizen', 'observer', 'secretariat', 'moderator']

export interface Invitee {
  id: string
  position: number
  name: string
  title: string
  sector: string
  role: Role
  venue_id: string | null
  venue: string | null
  phone: string
  large_text: boolean
  excused: boolean
  link: string | null
  last_seen_ms: number | null
}
export type InviteeDraft = Pick<Invitee, 'name' | 'title' | 'sector' | 'role' | 'venue_id' | 'phone' | 'large_text'>
export interface InviteePage {
  items: Invitee[]
  next: string | null
  total: number
}

export const COLUMNS = ['name', 'title', 'sector', 'role', 'venue', 'phone', 'large_text'] as const
export type Column = (typeof COLUMNS)[number]
export type Cells = Record<Column, string>

export interface ImportProblem {
  code: string
  column: Column | null
  message: string
  suggestion?: { value: string; label: string } | null
  other_row?: number | null
}
export interface ImportRow {
  row: number
  values: Cells
  venue_id: string | null
  role_code: Role | null
  dropped: boolean
  ok: boolean
  problems: ImportProblem[]
  notes: { code: string; message: string }[]
}
export interface PendingImport {
  file_name: string
  created_at_ms: number
  created_by: string
  rows: ImportRow[]
  counts: { total: number; ok: number; bad: number; dropped: number }
  by_role: Partial<Record<Role, number>>
}
export interface RowFix {
  row: number
  values?: Partial<Cells>
  separate?: boolean
  dropped?: boolean
}

/** modules a side, with the quiet zone; the path is filled */
export interface Qr {
  size: number
  path: string
}
export interface PersonalLink {
  kind: 'invitee' | 'venue'
  id: string
  name: string
  title: string
  role: Role
  sector: string
  venue: string | null
  large_text: boolean
  link: string
  qr: Qr | null
}
export interface LinkPage {
  items: PersonalLink[]
  next: string | null
}

export const guests = (http: Http, cid: string) => {
  const path = pathOf(cid)
  return {
    venues: () => http.get<{ items: Venue[] }>(`${path}/venues`),
    addVenue: (draft: VenueDraft) => http.send<Venue>('POST', `${path}/venues`, draft),
    editVenue: (id: string, draft: Partial<VenueDraft>) => http.send<Venue>('PATCH', `${path}/venues/${id}`, draft),
    removeVenue: (id: string) => http.send<undefined>('DELETE', `${path}/venues/${id}`),
    newVenueLink: (id: string) => http.send<Venue>('POST', `${path}/venues/${id}/link`),
    newEntryCode: (id: string) => http.send<Venue>('POST', `${path}/venues/${id}/code`),

    invitees: (query: { limit: number; after?: string | null; q?: string }) => http.get<InviteePage>(`${path}/invitees`, query),
    addInvitee: (draft: InviteeDraft) => http.send<Invitee>('POST', `${path}/invitees`, draft),
    editInvitee: (id: string, draft: Partial<InviteeDraft> & { excused?: boolean }) => http.send<Invitee>('PATCH', `${path}/invitees/${id}`, draft),
    removeInvitee: (id: string) => http.send<undefined>('DELETE', `${path}/invitees/${id}`),
    newInviteeLink: (id: string) => http.send<Invitee>('POST', `${path}/invitees/${id}/link`),

    template: () => http.download(`${path}/invitees/template.xlsx`),
    pending: () => http.get<PendingImport>(`${path}/invitees/import`),
    read: (file: File) => http.upload<PendingImport>(`${path}/invitees/import`, file, { name: file.name }),
    mend: (rows: RowFix[]) => http.send<PendingImport>('PUT', `${path}/invitees/import`, { rows }),
    apply: () => http.send<{ added: number; left: number }>('POST', `${path}/invitees/import/apply`),
    drop: () => http.send<undefined>('DELETE', `${path}/invitees/import`),
    marked: () => http.download(`${path}/invitees/import/marked.xlsx`),

    links: (after: string | null) => http.get<LinkPage>(`${path}/links`, { qr: 1, limit: 100, after }),
    linkTable: () => http.download(`${path}/links.xlsx`),
  }
}
export type Guests = ReturnType<typeof guests>
