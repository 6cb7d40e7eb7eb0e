/** Showing who one is: what was shown is remembered on this device, so that a crowd does not ask the server for it. */
import { ref, type Ref } from 'vue'
import { CommentError } from '@/api/public-comments'
import { beginIdentity, fetchIdentity, finishIdentity, type IdentityKind, type IdentityOffer } from '@/api/viewer-identity'
import { keepText, keptKey, readText } from '../comments/kept'

/** `retryS`: how long to wait, where that is known. */
export interface Refusal {
  code: string
  retryS: number | null
}

export interface ViewerIdentity {
  kind: Ref<IdentityKind | null>
  /** a code was sent and is awaited */
  proof: Ref<string | null>
  busy: Ref<boolean>
  refused: Ref<Refusal | null>
  /** Asks the server once more: the device may be known though nothing is remembered. */
  look: () => Promise<void>
  /** True when a code was sent; with WeChat the page is left. */
  begin: (kind: IdentityKind, phone?: string) => Promise<boolean>
  finish: (answer: string) => Promise<boolean>
  /** The code came to nothing: another number. */
  restart: () => void
  /** The server knows nothing of what this device remembers. */
  forget: () => void
}

export interface IdentitySurroundings {
  api: { begin: typeof beginIdentity; finish: typeof finishIdentity; look: typeof fetchIdentity }
  leave: (url: string) => void
}

const OUTSIDE: IdentitySurroundings = {
  api: { begin: beginIdentity, finish: finishIdentity, look: fetchIdentity },
  leave: (url) => window.location.assign(url),
}
const KINDS: readonly string[] = ['phone', 'wechat']

export function useIdentity(cid: string, proven: () => void, outside: IdentitySurroundings = OUTSIDE): ViewerIdentity {
  const kindKey = keptKey('identity', cid)
  const proofKey = keptKey('proof', cid)
  const remembered = readText(kindKey)
  const kind = ref<IdentityKind | null>(KINDS.includes(remembered) ? (remembered as IdentityKind) : null)
  const proof = ref<string | null>(readText(proofKey) || null)
  const busy = ref(false)
  const refused = ref<Refusal | null>(null)

  function shown(now: IdentityKind): void {
    kind.value = now
    keepText(kindKey, now)
    setProof(null)
    proven()
  }
  function setProof(id: string | null): void {
    proof.value = id
    keepText(proofKey, id ?? '')
  }
  /** Null when it was refused; the words say why. */
  async function trying<T>(act: () => Promise<T>): Promise<T | null> {
    if (busy.value) return null
    busy.value = true
    refused.value = null
    try {
      return await act()
    } catch (error) {
      const said = error instanceof CommentError ? error : new CommentError('other', 0)
      refused.value = { code: said.code, retryS: said.retryAfterS }
      return null
    } finally {
      busy.value = false
    }
  }

  async function look(): Promise<void> {
    const now = await outside.api.look(cid).catch(() => null)
    if (now) shown(now)
  }
  async function begin(wanted: IdentityKind, phone = ''): Promise<boolean> {
    const made = await trying(() => outside.api.begin(cid, wanted, phone))
    if (!made) return false
    if (made.url === null) setProof(made.id)
    else outside.leave(made.url)
    return true
  }
  async function finish(answer: string, of = proof.value): Promise<boolean> {
    if (of === null) return false
    const now = await trying(() => outside.api.finish(cid, of, answer))
    if (now) shown(now)
    else if (refused.value?.code === 'identity_lapsed') setProof(null)
    return now !== null
  }
  function restart(): void {
    setProof(null)
    refused.value = null
  }
  function forget(): void {
    kind.value = null
    keepText(kindKey, '')
  }

  const back = returned(window.location.search)
  if (back) {
    window.history.replaceState(window.history.state, '', withoutReturn(window.location.href))
    void finish(back.code, back.state).then((done) => {
      if (!done && refused.value) refused.value = { ...refused.value, code: refused.value.code === 'offline' ? 'offline' : 'wechat' }
    })
  }
  return { kind, proof, busy, refused, look, begin, finish: (answer) => finish(answer), restart, forget }
}

/** What WeChat sends a viewer back with. */
export function returned(search: string): { code: string; state: string } | null {
  const query = new URLSearchParams(search)
  const code = query.get('code')
  const state = query.get('state')
  return code && state && /^[0-9a-f]{32}$/.test(state) ? { code, state } : null
}

export function withoutReturn(href: string): string {
  const url = new URL(href)
  url.searchParams.delete('code')
  url.searchParams.delete('state')
  return url.pathname + url.search + url.hash
}

/** What can be used here: WeChat answers in its own browser only. */
export const usable = (offer: IdentityOffer, agent: string): IdentityKind[] => offer.kinds.filter((each) => each !== 'wechat' || isWechat(agent))
export const isWechat = (agent: string): boolean => /MicroMessenger/i.test(agent)

/** 138****8000 */
export function masked(phone: string): string {
  const digits = phone.normalize('NFKC').replace(/\D/g, '').slice(-11)
  return digits.length === 11 ? `${digits.slice(0, 3)}****${digits.slice(7)}` : phone
}
