/** What administrators see and change over REST: what goes on, bodies, accounts. */
import type { Status } from './accounts'
import type { Http } from './http'
import type { Role } from './messages'
import type { TraceLine } from './trace'

export const LEVELS = ['province', 'city', 'county'] as const
export type Level = (typeof LEVELS)[number]
export const STAFF_ROLES = ['administrator', 'organizer', 'secretariat', 'moderator'] as const satisfies readonly Role[]
export type StaffRole = (typeof STAFF_ROLES)[number]

export interface Ongoing {
  id: string
  title: string
  organization_id: string | null
  organization: string | null
  status: Status
  started_at_ms: number | null
  /** null while no room is open */
  node: string | null
  present: number
  waiting: number
  /** null where only the node that holds the room knows it */
  recording: 'off' | 'on' | 'paused' | 'trouble' | null
}

export interface Overview {
  server: { version: string; storage: string; started_at_ms: number }
  now_ms: number
  /** null where none is configured */
  redis: boolean | null
  disk: { free_bytes: number; warn: boolean } | null
  nodes: { name: string; is_this: boolean; rooms: number; is_draining: boolean; keys_differ: boolean }[]
  keys: { id: string; signs_since_ms: number; is_old: boolean; accepted: { id: string; until_ms: number }[] }
  ongoing: Ongoing[]
}

export interface Organization {
  id: string
  name: string
  level: Level
  parent_id: string | null
}

/** null: no limit; of `retention_days` what the server does, and 0 keeps for ever */
export interface Rules {
  max_live: number | null
  max_participants: number | null
  max_storage_gb: number | null
  retention_days: number | null
}

export interface BodyRules {
  organization: Organization
  rules: Rules
  use: {
    live: number
    present: number
    /** people in the fullest of its rooms */
    fullest: number
    /** null until its files were measured once */
    used_bytes: number | null
    measured_at_ms: number | null
    fill: 'ok' | 'near' | 'full'
  }
  /** else the days alone may be changed: limits are given from above */
  may_limit: boolean
}

export interface RuleBook {
  server: { max_participants: number; retention_days: number }
  items: BodyRules[]
}

export interface Account {
  id: string
  login: string
  name: string
  role: StaffRole
  organization: { id: string; name: string; level: Level }
  disabled: boolean
}

export interface AccountDraft {
  login: string
  name: string
  role: StaffRole
  organization_id: string
  password: string
}
export type AccountChange = Partial<Pick<AccountDraft, 'name' | 'role' | 'organization_id' | 'password'> & { disabled: boolean }>

export interface AcrossLine {
  /** the consultation's id, or `staff` */
  chain: string
  title: string | null
  line: TraceLine
}

export interface AcrossPage {
  items: AcrossLine[]
  /** a page may be short, or empty, and still have a next one */
  next: string | null
  looked_until_ms: number | null
}

export interface AcrossQuery {
  consultation: string
  action: string
  actor: string
  since_ms: number | null
  until_ms: number | null
}

const at = (path: string, id: string): string => `${path}/${encodeURIComponent(id)}`

export const administration = (http: Http) => ({
  overview: () => http.get<Overview>('/overview'),
  organizations: async () => (await http.get<{ items: Organization[] }>('/organizations')).items,
  addOrganization: (made: Omit<Organization, 'id'>) => http.send<Organization>('POST', '/organizations', made),
  changeOrganization: (id: string, changes: Partial<Omit<Organization, 'id'>>) => http.send<Organization>('PATCH', at('/organizations', id), changes),
  rules: () => http.get<RuleBook>('/rules'),
  changeRules: (id: string, rules: Rules) => http.send<BodyRules>('PUT', `${at('/organizations', id)}/rules`, rules),
  audit: (wanted: AcrossQuery, before: string | null, limit: number) => http.get<AcrossPage>('/audit', { ...wanted, before, limit }),
  accounts: async () => (await http.get<{ items: Account[] }>('/users')).items,
  addAccount: (draft: AccountDraft) => http.send<Account>('POST', '/users', draft),
  changeAccount: (id: string, changes: AccountChange) => http.send<Account>('PATCH', at('/users', id), changes),
})
