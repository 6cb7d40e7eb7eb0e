import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { PublishedTrack } from '@/api/messages'
import { RequestError } from '@/api/room-socket'
import { PublishConnection } from '@/rtc/publish-connection'
import { createPeer, FakePeer, fakeTrack, settle } from './fakes'

interface Signalled {
  tracks: PublishedTrack[]
  answer: (sdp: string) => void
  fail: (error: Error) => void
}

function publisher(): { connection: PublishConnection; signalled: Signalled[] } {
  const signalled: Signalled[] = []
  const connection = new PublishConnection({
    createPeer,
    smallPicture: false,
    signal: (_sdp, tracks) => new Promise((answer, fail) => signalled.push({ tracks, answer, fail })),
  })
  return { connection, signalled }
}

beforeEach(() => {
  vi.useFakeTimers()
  FakePeer.all.length = 0
})

describe('publishing', () => {
  it('offers nothing before the room is entered', async () => {
    const { connection, signalled } = publisher()
    void connection.setTrack('microphone', fakeTrack('audio'))
    await settle()
    expect(signalled).toHaveLength(0)
    void connection.rebuild()
    await settle()
    expect(signalled[0]?.tracks).toEqual([{ mid: '0', source: 'microphone' }])
  })

  it('opens no connection for somebody who only listens', async () => {
    const { connection } = publisher()
    void connection.rebuild()
    await settle()
    expect(FakePeer.all).toHaveLength(0)
  })

  it('has one offer outstanding; what comes meanwhile goes into the next', async () => {
    const { connection, signalled } = publisher()
    void connection.setTrack('microphone', fakeTrack('audio'))
    void connection.rebuild()
    await settle()
    void connection.setTrack('camera', fakeTrack('video'))
    void connection.setTrack('screen', fakeTrack('video'))
    await settle()
    expect(signalled).toHaveLength(1)
    signalled[0]?.answer('answer')
    await settle()
    expect(signalled).toHaveLength(2)
    expect(signalled[1]?.tracks.map((each) => each.source)).toEqual(['microphone', 'camera', 'screen'])
    expect(FakePeer.all).toHaveLength(1)
  })

  it('keeps the m-line of a camera that is switched off, without a new offer', async () => {
    const { connection, signalled } = publisher()
    void connection.setTrack('camera', fakeTrack('video'))
    void connection.rebuild()
    await settle()
    signalled[0]?.answer('answer')
    await settle()
    await connection.setTrack('camera', null)
    await connection.setTrack('camera', fakeTrack('video'))
    expect(signalled).toHaveLength(1)
    expect(FakePeer.all[0]?.transceivers).toHaveLength(1)
  })

  it('takes a shared screen out of the room and gives its m-line to the next', async () => {
    const { connection, signalled } = publisher()
    void connection.setTrack('microphone', fakeTrack('audio'))
    void connection.setTrack('screen', fakeTrack('video'))
    void connection.rebuild()
    await settle()
    signalled[0]?.answer('answer')
    await settle()
    void connection.withdraw('screen')
    await settle()
    expect(signalled[1]?.tracks.map((each) => each.source)).toEqual(['microphone'])
    signalled[1]?.answer('answer')
    await settle()
    void connection.setTrack('screen', fakeTrack('video'))
    await settle()
    expect(signalled[2]?.tracks).toEqual([
      { mid: '0', source: 'microphone' },
      { mid: '1', source: 'screen' },
    ])
    expect(FakePeer.all[0]?.transceivers).toHaveLength(2)
  })

  it('sends a screen in pictures that can be thinned out, where the browser knows how', async () => {
    const sent = async (refuses: boolean): Promise<RTCRtpEncodingParameters | undefined> => {
      const add = vi.spyOn(FakePeer.prototype, 'addTransceiver')
      if (refuses) {
        add.mockImplementationOnce(() => {
          throw new DOMException('no such mode', 'OperationError')
        })
      }
      const { connection } = publisher()
      void connection.setTrack('screen', fakeTrack('video'))
      void connection.rebuild()
      await settle()
      const last = add.mock.calls[add.mock.calls.length - 1]
      expect(FakePeer.all[FakePeer.all.length - 1]?.transceivers).toHaveLength(1)
      add.mockRestore()
      return last?.[1].sendEncodings?.[0]
    }
    expect(await sent(false)).toMatchObject({ maxBitrate: 2_500_000, scalabilityMode: 'L1T3' })
    expect(await sent(true)).toEqual({ maxBitrate: 2_500_000, priority: 'medium' })
  })

  it('rebuilds with everything it sends, and forgets the answer to the old offer', async () => {
    const { connection, signalled } = publisher()
    void connection.setTrack('microphone', fakeTrack('audio'))
    void connection.setTrack('camera', fakeTrack('video'))
    void connection.rebuild()
    await settle()
    void connection.rebuild()
    await settle()
    expect(FakePeer.all).toHaveLength(2)
    expect(FakePeer.all[0]?.closed).toBe(true)
    signalled[0]?.answer('old')
    signalled[1]?.answer('new')
    await settle()
    expect(FakePeer.all[0]?.remote).toEqual([])
    expect(FakePeer.all[1]?.remote).toEqual(['new'])
  })

  describe('a camera', () => {
    async function camera(answer = 'answer', width = 1280): Promise<{ connection: PublishConnection; signalled: Signalled[]; active: () => unknown[]; scales: () => unknown[] }> {
      const { connection, signalled } = publisher()
      void connection.setTrack('camera', fakeTrack('video', width))
      void connection.rebuild()
      await settle()
      signalled[0]?.answer(answer)
      await settle()
      const now = (): RTCRtpEncodingParameters[] => FakePeer.all.at(-1)?.transceivers[0]?.encodings ?? []
      return {
        connection,
        signalled,
        active: () => now().filter((each) => each.active).map((each) => each.rid),
        scales: () => now().map((each) => each.scaleResolutionDownBy),
      }
    }

    it('is sent in three sizes, of which only those stay that somebody looks at', async () => {
      const { connection, active } = await camera()
      expect(active()).toEqual(['q', 'h', 'f'])
      connection.need('camera', ['q'])
      await settle()
      expect(active()).toEqual(['q'])
      connection.need('camera', null)
      await settle()
      expect(active()).toEqual(['q', 'h', 'f'])
    })

    it('is sent in one, and whole, where the answer takes no simulcast', async () => {
      const { scales, connection, active } = await camera('one encoding')
      expect(scales()).toEqual([1])
      connection.need('camera', [''])
      await settle()
      expect(active()).toHaveLength(1)
    })

    it('sends all layers again on a new transport', async () => {
      const { connection, active } = await camera()
      connection.need('camera', ['q'])
      await settle()
      void connection.rebuild()
      await settle()
      expect(FakePeer.all).toHaveLength(2)
      expect(active()).toEqual(['q', 'h', 'f'])
    })

    it('takes nothing over that was said of the transport before while the new one was made', async () => {
      const { connection, active, signalled } = await camera()
      const renewed = vi.fn()
      connection.on('renewed', renewed)
      void connection.rebuild()
      await settle()
      connection.need('camera', [])
      await settle()
      expect(active()).toEqual([])
      signalled.at(-1)?.answer('answer')
      await settle()
      expect(renewed).toHaveBeenCalledOnce()
      expect(active()).toEqual(['q', 'h', 'f'])
    })

    it('sends less while the device cannot keep up, on a new transport, too', async () => {
      const { connection, active } = await camera()
      connection.relieve(1)
      await settle()
      expect(active()).toEqual(['q', 'h'])
      void connection.rebuild()
      await settle()
      expect(active()).toEqual(['q', 'h'])
      connection.relieve(0)
      await settle()
      expect(active()).toEqual(['q', 'h', 'f'])
    })

    it('keeps its whole picture when a smaller camera takes its place', async () => {
      const { connection, active, scales } = await camera()
      await connection.setTrack('camera', fakeTrack('video', 640))
      expect(active()).toEqual(['q', 'h'])
      expect(scales()).toEqual([2, 1, 1])
    })
  })

  it('tries again, later each time, when the server refuses', async () => {
    const { connection, signalled } = publisher()
    void connection.setTrack('microphone', fakeTrack('audio'))
    void connection.rebuild()
    await settle()
    signalled[0]?.fail(new RequestError('media_unavailable'))
    await settle()
    expect(signalled).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(500)
    expect(signalled).toHaveLength(2)
    signalled[1]?.fail(new RequestError('media_unavailable'))
    await vi.advanceTimersByTimeAsync(900)
    expect(signalled).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(100)
    expect(signalled).toHaveLength(3)
    connection.close()
  })
})

describe('several cameras', () => {
  async function hall(): Promise<{ connection: PublishConnection; signalled: Signalled[] }> {
    const made = publisher()
    void made.connection.setTrack('microphone', fakeTrack('audio'))
    void made.connection.setTrack('camera:one', fakeTrack('video'), '全景机位')
    void made.connection.setTrack('camera:two', fakeTrack('video'), '发言席')
    void made.connection.setMain('camera:one')
    void made.connection.rebuild()
    await settle()
    made.signalled[0]?.answer('answer')
    await settle()
    return made
  }

  it('are a publication each, with its label, and one is the main one', async () => {
    const { signalled } = await hall()
    expect(signalled[0]?.tracks).toEqual([
      { mid: '0', source: 'microphone' },
      { mid: '1', source: 'camera', label: '全景机位', main: true },
      { mid: '2', source: 'camera', label: '发言席' },
    ])
  })

  it('change places with one round and without another m-line', async () => {
    const { connection, signalled } = await hall()
    void connection.setMain('camera:two')
    await settle()
    expect(signalled).toHaveLength(2)
    expect(signalled[1]?.tracks.filter((each) => each.main).map((each) => each.label)).toEqual(['发言席'])
    signalled[1]?.answer('answer')
    await settle()
    void connection.setMain('camera:two')
    await settle()
    expect(signalled).toHaveLength(2)
    expect(FakePeer.all[0]?.transceivers).toHaveLength(3)
  })

  it('can be renamed, taken out and brought back', async () => {
    const { connection, signalled } = await hall()
    const track = fakeTrack('video')
    void connection.setTrack('camera:two', track, '主席台')
    await settle()
    expect(signalled[1]?.tracks[2]).toEqual({ mid: '2', source: 'camera', label: '主席台' })
    signalled[1]?.answer('answer')
    await settle()
    void connection.withdraw('camera:two')
    await settle()
    expect(signalled[2]?.tracks.map((each) => each.mid)).toEqual(['0', '1'])
    signalled[2]?.answer('answer')
    await settle()
    void connection.setTrack('camera:two', track, '主席台')
    await settle()
    expect(signalled[3]?.tracks[2]).toEqual({ mid: '2', source: 'camera', label: '主席台' })
  })

  it('are told apart by their labels, and the main one stands for all', async () => {
    const { connection } = await hall()
    expect(connection.keyOf('camera', '发言席')).toBe('camera:two')
    expect(connection.keyOf('camera', null)).toBe('camera:one')
    expect(connection.keyOf('screen', null)).toBe('screen')
    expect(connection.camera()).toBe(connection.track('camera:one'))
    await connection.setTrack('camera:one', null)
    expect(connection.camera()).toBe(connection.track('camera:two'))
  })
})
