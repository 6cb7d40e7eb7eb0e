/** What a clerk has written and not submitted yet, kept on this device: a page that is closed by mistake loses nothing. */
import type { Visibility } from '@/api/responses'

export interface Draft {
  text: string
  visibility: Visibility
}

const DRAFT_KEY = 'yuanshang.answer.'
const HANDLER_KEY = 'yuanshang.handler'

export function readDraft(id: string): Draft | null {
  try {
    const kept = JSON.parse(window.localStorage.getItem(DRAFT_KEY + id) ?? 'null') as Partial<Draft> | null
    return typeof kept?.text === 'string' ? { text: kept.text, visibility: kept.visibility === 'private' ? 'private' : 'public' } : null
  } catch {
    return null
  }
}

/** false where this device keeps nothing */
export function keepDraft(id: string, draft: Draft): boolean {
  try {
    window.localStorage.setItem(DRAFT_KEY + id, JSON.stringify(draft))
    return true
  } catch {
    return false
  }
}

export function forgetDraft(id: string): void {
  try {
    window.localStorage.removeItem(DRAFT_KEY + id)
  } catch {
    // Nothing was kept.
  }
}

/** The same person mostly answers the next one, too. */
export function readHandler(): string {
  try {
    return window.localStorage.getItem(HANDLER_KEY) ?? ''
  } catch {
    return ''
  }
}

export function keepHandler(name: string): void {
  try {
    window.localStorage.setItem(HANDLER_KEY, name)
  } catch {
    // It is typed again then.
  }
}
