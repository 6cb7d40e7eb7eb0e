/** Who a viewer is, without an account: shown by telephone or WeChat, kept by the device's cookie. */
import { ask, publicPath } from './public-comments'

export type IdentityKind = 'phone' | 'wechat'

export interface IdentityOffer {
  kinds: IdentityKind[]
  /** before one may comment */
  required: boolean
}

export interface Proof {
  id: string
  /** where to go for the answer, with WeChat */
  url: string | null
}

export const fetchIdentity = async (cid: string): Promise<IdentityKind | null> => (await ask<{ kind: IdentityKind | null }>(`${publicPath(cid)}/identity`, 'GET', undefined, true)).kind

export const beginIdentity = (cid: string, kind: IdentityKind, phone = ''): Promise<Proof> => ask(`${publicPath(cid)}/identity`, 'POST', { kind, phone })

export const finishIdentity = async (cid: string, proof: string, answer: string): Promise<IdentityKind> =>
  (await ask<{ kind: IdentityKind }>(`${publicPath(cid)}/identity/${encodeURIComponent(proof)}`, 'POST', { answer })).kind
