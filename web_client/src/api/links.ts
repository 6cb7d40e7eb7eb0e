/** Personal links and entry codes over HTTP: to look at one changes nothing, to enter by it gives a token. */
import { Http } from './http'
import type { Role } from './messages'

const http = new Http(null)

export interface LinkedConsultation {
  id: string
  title: string
  status: string
  scheduled_at_ms: number | null
  organization: string | null
}

export interface LinkInfo {
  kind: 'invitee' | 'venue'
  name: string
  role: Role
  title: string | null
  sector?: string | null
  venue: string | null
  large_text: boolean
  consultation: LinkedConsultation
}

export interface Entered {
  token: string
  consultation_id: string
  expires_at_ms: number
}

export interface CodeInfo {
  consultation: Pick<LinkedConsultation, 'id' | 'title' | 'scheduled_at_ms' | 'organization'>
  venue: { name: string }
}

export const fetchLink = (code: string): Promise<LinkInfo> => http.get(`/links/${encodeURIComponent(code)}`)
export const enterLink = (code: string): Promise<Entered> => http.send('POST', `/links/${encodeURIComponent(code)}/enter`)
export const checkCode = (code: string): Promise<CodeInfo> =>
  http.send('POST', '/entry-codes/check', { code, device: deviceId() })
export const enterCode = (code: string, name: string): Promise<Entered & { known: boolean }> =>
  http.send('POST', '/entry-codes/enter', { code, name, device: deviceId() })

/** A hall's big screen, by what stands behind # in its link. */
export const enterScreen = (cid: string, venueId: string, code: string): Promise<Entered> =>
  http.send('POST', '/screens/enter', { consultation_id: cid, venue_id: venueId, code })

export const CODE_LENGTH = 6

/** The digits of what was typed or pasted, full-width ones too. */
export function codeDigits(typed: string): string {
  return typed.normalize('NFKC').replace(/\D/g, '').slice(0, CODE_LENGTH)
}

const DEVICE_KEY = 'yuanshang.device'
let device = ''

/** A random name of this browser, by which wrong codes are counted. */
export function deviceId(): string {
  if (device) return device
  try {
    device = window.localStorage.getItem(DEVICE_KEY) ?? ''
    if (!device) window.localStorage.setItem(DEVICE_KEY, (device = randomId()))
  } catch {
    device ||= randomId()
  }
  return device
}

/** crypto.randomUUID is missing on insecure pages and in old browsers. */
function randomId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
