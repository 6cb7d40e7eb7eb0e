/** Why it was refused, in a sentence. */
import type { Refusal } from './use-identity'

type Translate = (key: string, values?: Record<string, unknown>) => string
const KNOWN = ['identity_wrong', 'identity_lapsed', 'identity_unavailable', 'bad_request', 'offline', 'wechat']
const MINUTE_S = 60

export function refusalWords(t: Translate, refused: Refusal): string {
  if (refused.code === 'rate_limited') {
    const seconds = refused.retryS ?? MINUTE_S
    if (seconds > 2 * MINUTE_S) return t('identity.failed.rate_limited_long', { n: Math.ceil(seconds / MINUTE_S) })
    return t('identity.failed.rate_limited', { n: seconds })
  }
  return t(`identity.failed.${KNOWN.includes(refused.code) ? refused.code : 'other'}`)
}
