/** What this device keeps of a consultation for its reader: drafts, unsent and own comments, likes. Where storage is refused, as long as the page. */

const memory = new Map<string, string>()
/** What storage would not take: there it is missing or older than here. */
const unstored = new Set<string>()

export const keptKey = (what: string, cid: string): string => `yuanshang.${what}.${cid}`

export function readText(key: string): string {
  if (unstored.has(key)) return memory.get(key) ?? ''
  try {
    return window.localStorage.getItem(key) ?? memory.get(key) ?? ''
  } catch {
    return memory.get(key) ?? ''
  }
}

/** false where storage is refused or full: it then lasts as long as the page. */
export function keepText(key: string, text: string): boolean {
  memory.set(key, text)
  try {
    if (text) window.localStorage.setItem(key, text)
    else window.localStorage.removeItem(key)
    unstored.delete(key)
    return true
  } catch {
    unstored.add(key)
    return false
  }
}

/** What another version of the page wrote in another shape is as if nothing was kept. */
export function readList<T>(key: string, is: (each: unknown) => each is T): T[] {
  try {
    const found: unknown = JSON.parse(readText(key) || '[]')
    return Array.isArray(found) ? found.filter(is) : []
  } catch {
    return []
  }
}

export function keepList(key: string, list: readonly unknown[]): void {
  keepText(key, list.length ? JSON.stringify(list) : '')
}

/** Calls when another tab of this browser wrote it. Returns how to stop. */
export function onOtherTab(key: string, call: () => void): () => void {
  const heard = (event: StorageEvent): void => {
    if (event.key !== key && event.key !== null) return
    // What only this page has is not given up for what another one could store.
    if (!unstored.has(key)) memory.delete(key)
    call()
  }
  window.addEventListener('storage', heard)
  return () => window.removeEventListener('storage', heard)
}

export const isText = (each: unknown): each is string => typeof each === 'string'
