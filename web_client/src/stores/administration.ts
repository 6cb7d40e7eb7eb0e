/** Bodies and accounts, as the administrator who is logged in may see them. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { administration, LEVELS, type Account, type AccountChange, type AccountDraft, type Level, type Organization } from '@/api/administration'
import { Http } from '@/api/http'
import { RequestError } from '@/api/room-socket'
import { i18n } from '@/i18n'
import { useStaff } from './staff'

export interface Branch {
  organization: Organization
  /** 0: nobody stands above it that one may see */
  depth: number
}

/** Every body after the one above it, with those below in the order of their making. */
export function treeOf(organizations: readonly Organization[]): Branch[] {
  const known = new Set(organizations.map((each) => each.id))
  const rows: Branch[] = []
  const add = (parent: string | null, depth: number): void => {
    for (const organization of organizations) {
      const above = organization.parent_id !== null && known.has(organization.parent_id) ? organization.parent_id : null
      if (above !== parent) continue
      rows.push({ organization, depth })
      add(organization.id, depth + 1)
    }
  }
  add(null, 0)
  return rows
}

/** The levels that a body below one of this level may have. */
export const levelsBelow = (level: Level): Level[] => LEVELS.slice(LEVELS.indexOf(level))

/** Read out easily: no 0, 1, i, l, o. */
const LETTERS = '23456789abcdefghjkmnpqrstuvwxyz'
const GROUPS = 4

export function madePassword(): string {
  const letters: string[] = []
  // What lies above the last whole multiple would make some letters likelier than others.
  const bound = 256 - (256 % LETTERS.length)
  while (letters.length < GROUPS * GROUPS) {
    for (const byte of crypto.getRandomValues(new Uint8Array(GROUPS * GROUPS))) {
      if (byte < bound && letters.length < GROUPS * GROUPS) letters.push(LETTERS.charAt(byte % LETTERS.length))
    }
  }
  return Array.from({ length: GROUPS }, (_, index) => letters.slice(index * GROUPS, (index + 1) * GROUPS).join('')).join('-')
}

/** In words, for the place beside the field. */
export function problemWords(error: unknown): string {
  const { t, te } = i18n.global
  const key = `admin.problems.${error instanceof RequestError ? error.code : 'other'}`
  return te(key, 'zh-CN') ? t(key) : t('admin.problems.other')
}

export const useAdministration = defineStore('administration', () => {
  const staff = useStaff()
  const organizations = shallowRef<Organization[]>([])
  const accounts = shallowRef<Account[]>([])
  const state = ref<'reading' | 'ready' | 'failed'>('reading')
  const tree = computed(() => treeOf(organizations.value))
  /** accounts by body */
  const counts = computed(() => {
    const all = new Map<string, number>()
    for (const { organization } of accounts.value) all.set(organization.id, (all.get(organization.id) ?? 0) + 1)
    return all
  })
  const ownId = computed(() => staff.user?.organization?.id ?? '')

  /** undefined when the session has run out: the page then asks to log in */
  const ask = <T>(act: (calls: ReturnType<typeof administration>) => Promise<T>): Promise<T | undefined> =>
    staff.attempt((token) => act(administration(new Http(token))))

  async function load(): Promise<void> {
    try {
      const read = await ask(async (calls) => Promise.all([calls.organizations(), calls.accounts()]))
      if (!read) return
      ;[organizations.value, accounts.value] = read
      state.value = 'ready'
    } catch {
      if (state.value === 'reading') state.value = 'failed'
    }
  }

  function retry(): Promise<void> {
    state.value = 'reading'
    return load()
  }

  async function saveOrganization(id: string | null, made: Omit<Organization, 'id'>): Promise<void> {
    const before = organizations.value.find((each) => each.id === id)
    if (!before) await ask((calls) => calls.addOrganization(made))
    else {
      const moved = made.parent_id !== before.parent_id && made.parent_id !== null ? { parent_id: made.parent_id } : {}
      await ask((calls) => calls.changeOrganization(before.id, { name: made.name, level: made.level, ...moved }))
    }
    await load()
  }

  async function addAccount(draft: AccountDraft): Promise<void> {
    await ask((calls) => calls.addAccount(draft))
    await load()
  }

  async function changeAccount(id: string, changes: AccountChange): Promise<void> {
    const changed = await ask((calls) => calls.changeAccount(id, changes))
    if (changed) accounts.value = accounts.value.map((each) => (each.id === id ? changed : each))
  }

  return { organizations, accounts, state, tree, counts, ownId, ask, load, retry, saveOrganization, addAccount, changeAccount }
})
