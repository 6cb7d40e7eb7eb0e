/** The second pass (录音复核) over REST: how far it is, asking for one, and deciding about all that it proposes. */
import type { Http } from './http'
import { pathOf } from './preparing'
import type { Segment } from './transcript'

export type SecondPassState = 'none' | 'waiting' | 'running' | 'done' | 'failed'

/** `done` and `total` count segments; also told to desks whenever it changes. */
export interface SecondPass {
  engine: string
  /** why none can be asked for on this server: no_model, model_broken, engine_missing; else empty */
  unavailable: string
  state: SecondPassState
  /** why it failed */
  reason: string
  done: number
  total: number
  /** of those that are done: no sound, or nothing was made out */
  unheard: number
  proposals: number
}

export interface Seen {
  id: string
  revision: number
}

/** `conflicts`: changed by somebody else meanwhile, and left alone */
export interface Decided {
  items: Segment[]
  conflicts: string[]
}

/** as many as one request may name */
export const MOST_DECIDED = 5000

export const secondPasses = (http: Http, cid: string) => {
  const path = `${pathOf(cid)}/transcript`
  return {
    begin: () => http.send<SecondPass>('POST', `${path}/second-pass`),
    decide: (accept: boolean, segments: readonly Seen[]) => http.send<Decided>('POST', `${path}/proposals`, { accept, segments }),
    takeBack: (segments: readonly Seen[]) => http.send<Decided>('POST', `${path}/proposals/undo`, { segments }),
  }
}
