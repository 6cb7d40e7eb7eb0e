/** Staff over HTTP: log in and out, and the consultations of one's organization. */
import { Http } from './http'
import type { Role } from './messages'
import type { StaffSession } from './staff'

export interface StaffUser {
  id: string
  login: string
  name: string
  role: Role
  organization: { id: string; name: string; level: string } | null
}

export type Status = 'draft' | 'scheduled' | 'rehearsal' | 'live' | 'ended' | 'archived' | 'postponed' | 'cancelled'

export interface ConsultationItem {
  id: string
  title: string
  status: Status
  scheduled_at_ms: number | null
}

const KEY = 'yuanshang.staff'
const PAGE = 30

export function keepStaff({ token, expires_at_ms }: StaffSession): void {
  try {
    window.localStorage.setItem(KEY, JSON.stringify({ token, expires_at_ms }))
  } catch {
    // Where storage is refused the session lasts as long as the page.
  }
}

export function forgetStaff(): void {
  try {
    window.localStorage.removeItem(KEY)
  } catch {
    // Nothing was kept.
  }
}

export const logIn = (login: string, password: string): Promise<StaffSession & { user: StaffUser }> =>
  new Http(null).send('POST', '/sessions', { login, password })
export const currentStaff = (token: string): Promise<StaffUser> => new Http(token).get('/sessions/current')
export const logOut = (token: string): Promise<void> => new Http(token).send('DELETE', '/sessions/current')
export const changePassword = (token: string, old: string, next: string): Promise<void> =>
  new Http(token).send('POST', '/sessions/current/password', { old, new: next })

export const listConsultations = (token: string, after: string | null = null): Promise<{ items: ConsultationItem[]; next: string | null }> =>
  new Http(token).get('/consultations', { limit: PAGE, after })
export const createConsultation = (token: string, title: string): Promise<ConsultationItem> =>
  new Http(token).send('POST', '/consultations', { title })
