/** What a clerk has written and not submitted yet, kept on this device: a page that is closed by mistake loses nothing. */
import type { Visibility } from '@/api/responses'
import { keepText, readText } from '../public/comments/kept'

export interface Draft {
  text: string
  visibility: Visibility
}

const DRAFT_KEY = 'yuanshang.answer.'
const HANDLER_KEY = 'yuanshang.handler'

export function readDraft(id: string): Draft | null {
  try {
    const kept = JSON.parse(readText(DRAFT_KEY + id) || 'null') as Partial<Draft> | null
    return typeof kept?.text === 'string' ? { text: kept.text, visibility: kept.visibility === 'private' ? 'private' : 'public' } : null
  } catch {
    return null
  }
}

/** false where this device keeps nothing: it is there until the page is closed */
export const keepDraft = (id: string, draft: Draft): boolean => keepText(DRAFT_KEY + id, JSON.stringify(draft))

export function forgetDraft(id: string): void {
  keepText(DRAFT_KEY + id, '')
}

/** The same person mostly answers the next one, too. */
export const readHandler = (): string => readText(HANDLER_KEY)

export function keepHandler(name: string): void {
  keepText(HANDLER_KEY, name)
}
