/**
 * What this browser keeps of a consultation between reloads: the token, the secret to be the same participant again, and texts not yet sent.
 * sessionStorage, so that it ends with the tab and another tab is another participant.
 */

export interface Resume {
  participant_id: string
  secret: string
}

const tokenKey = (cid: string): string => `yuanshang.token.${cid}`
const resumeKey = (cid: string): string => `yuanshang.resume.${cid}`

/** The token of the address, else the kept one. `keepInAddress` is for in-app browsers, whose "open in browser" passes the address on. */
export function takeToken(cid: string, keepInAddress: boolean): string | null {
  const given = new URLSearchParams(window.location.hash.slice(1)).get('token')
  if (!given) return read(tokenKey(cid))
  if (given !== read(tokenKey(cid))) forgetResume(cid)
  write(tokenKey(cid), given)
  if (!keepInAddress) {
    window.history.replaceState(null, '', window.location.pathname + window.location.search)
  }
  return given
}

/** The token that a personal link gave, for the desk of the same tab and for reloads. */
export function keepToken(cid: string, token: string): void {
  write(tokenKey(cid), token)
}

/** The whole link, for copying it into another browser or telephone. */
export function linkWithToken(cid: string): string {
  const token = read(tokenKey(cid))
  return `${window.location.origin}/room/${encodeURIComponent(cid)}${token ? `#token=${token}` : ''}`
}

export function readResume(cid: string): Resume | null {
  try {
    const kept = JSON.parse(read(resumeKey(cid)) ?? 'null') as Partial<Resume> | null
    return kept?.participant_id && kept.secret
      ? { participant_id: kept.participant_id, secret: kept.secret }
      : null
  } catch {
    return null
  }
}

export function keepResume(cid: string, resume: Resume): void {
  write(resumeKey(cid), JSON.stringify(resume))
}

/** What this tab must not lose, such as a text that has not reached the server yet. */
export function readKept<T>(cid: string, what: string, fallback: T): T {
  try {
    return (JSON.parse(read(`yuanshang.${what}.${cid}`) ?? 'null') as T | null) ?? fallback
  } catch {
    return fallback
  }
}

export function keep(cid: string, what: string, value: unknown): void {
  write(`yuanshang.${what}.${cid}`, JSON.stringify(value))
}

export function forgetResume(cid: string): void {
  try {
    window.sessionStorage.removeItem(resumeKey(cid))
  } catch {
    // Storage may be switched off; then there is nothing to forget.
  }
}

function read(key: string): string | null {
  try {
    return window.sessionStorage.getItem(key)
  } catch {
    return memory.get(key) ?? null
  }
}

function write(key: string, value: string): void {
  try {
    window.sessionStorage.setItem(key, value)
  } catch {
    memory.set(key, value)
  }
}

const memory = new Map<string, string>()
