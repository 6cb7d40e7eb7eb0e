/** Opens the real wire: socket.io-client on a namespace of ours, WebSocket first, long polling where a proxy refuses it. */
import { Manager } from 'socket.io-client'
import type { Wire } from './room-socket'

export function openWire(auth: () => Record<string, unknown>, namespace: '/room' | '/desk' = '/room'): Wire {
  const manager = new Manager(window.location.origin, {
    autoConnect: false,
    reconnection: false,
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    timeout: 5000,
  })
  return manager.socket(namespace, {
    auth: (give: (data: object) => void) => give(auth()),
  }) as unknown as Wire
}
