/** Whether the server has a relay for those whose network lets only encrypted pages pass. */

export type RelayState = 'ok' | 'absent' | 'starting' | 'failed' | 'off'
const STATES: readonly string[] = ['ok', 'absent', 'starting', 'failed']

/** `off` where the server is to have none; null where a proxy in front keeps this address to itself. */
export async function fetchRelay(): Promise<RelayState | null> {
  try {
    const { checks } = (await (await fetch('/readyz', { cache: 'no-store' })).json()) as { checks?: { relay?: string } }
    if (!checks) return null
    return checks.relay === undefined ? 'off' : readRelay(checks.relay)
  } catch {
    return null
  }
}

export function readRelay(state: string): RelayState | null {
  return state === 'off' || STATES.includes(state) ? (state as RelayState) : null
}
