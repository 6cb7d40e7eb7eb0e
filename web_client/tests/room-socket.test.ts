import { beforeEach, describe, expect, it, vi } from 'vitest'
import { RoomSocket } from '@/api/room-socket'
import { FakeWire } from './fakes'

let wire: FakeWire
let socket: RoomSocket
beforeEach(() => {
  vi.useFakeTimers()
  wire = new FakeWire()
  socket = new RoomSocket(wire)
  socket.open()
})

describe('the socket', () => {
  it('does not keep requests for later', async () => {
    await expect(socket.request('floor.request', {})).rejects.toMatchObject({ code: 'offline' })
    expect(wire.sent).toHaveLength(0)
  })

  it('gives the code of a refusal, of silence and of a broken line', async () => {
    wire.accept()
    const refused = socket.request('floor.request', {})
    wire.sent[0]?.ack({ ok: false, error: { code: 'forbidden', message: '' } })
    await expect(refused).rejects.toMatchObject({ code: 'forbidden' })

    const silent = expect(socket.request('floor.request', {}, 1000)).rejects.toMatchObject({ code: 'timeout' })
    await vi.advanceTimersByTimeAsync(1000)
    await silent

    const cut = expect(socket.request('floor.request', {})).rejects.toMatchObject({ code: 'offline' })
    wire.drop()
    await cut
  })

  it('tries again, faster first', async () => {
    wire.refuse()
    await vi.advanceTimersByTimeAsync(260)
    expect(wire.connects).toBe(2)
    for (let turn = 0; turn < 8; turn += 1) {
      wire.refuse()
      await vi.advanceTimersByTimeAsync(4000)
    }
    expect(wire.connects).toBe(10)
  })

  it('throws away an attempt that hangs', async () => {
    await vi.advanceTimersByTimeAsync(8000)
    expect(wire.connects).toBe(2)
  })

  it('does not come back after it was closed', async () => {
    wire.accept()
    socket.close()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(wire.connects).toBe(1)
  })
})
