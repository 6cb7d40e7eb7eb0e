/**
 * window.yuanshangDebug: the two peer connections and their statistics, to be read only.
 * Support asks for getStats() over the telephone, and interoperability probes measure through it; nothing in the client reads it.
 */
import type { RoomSession } from './room-session'

interface SupportView {
  readonly publishConnection: RTCPeerConnection | null
  readonly subscribeConnection: RTCPeerConnection | null
  readonly link: string
  stats(): Promise<{ publish: unknown[]; subscribe: unknown[] }>
}

declare global {
  interface Window {
    yuanshangDebug?: SupportView
  }
}

async function reports(peer: RTCPeerConnection | null): Promise<unknown[]> {
  return peer ? [...(await peer.getStats()).values()] : []
}

export function exposeForSupport(session: RoomSession): void {
  window.yuanshangDebug = Object.freeze({
    get publishConnection() {
      return session.publish.peer
    },
    get subscribeConnection() {
      return session.subscribe.peer
    },
    get link() {
      return session.link
    },
    stats: async () => ({
      publish: await reports(session.publish.peer),
      subscribe: await reports(session.subscribe.peer),
    }),
  })
}
