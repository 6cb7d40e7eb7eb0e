/** The broadcast over REST: the same acts as over the line. */
import type { Http } from './http'
import type { Broadcast, Requests } from './messages'
import { pathOf } from './preparing'

export type BroadcastRequest = 'broadcast.cut' | 'broadcast.restore' | 'broadcast.withdraw' | 'broadcast.reinstate'
export type BroadcastAct = { [Name in BroadcastRequest]: { name: Name; body: Requests[Name][0] } }[BroadcastRequest]

export const broadcasting = (http: Http, cid: string) => ({
  act: (act: BroadcastAct) => http.send<Broadcast>('POST', `${pathOf(cid)}/${act.name.replace('.', '/')}`, act.body),
})
