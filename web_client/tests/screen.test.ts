import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ProblemError } from '@/api/http'
import { SessionError, type SessionInfo } from '@/api/session'
import { ScreenDoor } from '@/pages/screen/screen-door'
import { ScreenGuard } from '@/pages/screen/screen-guard'
import { ScreenLife, type ScreenPhase } from '@/pages/screen/screen-life'
import { shownPerson } from '@/pages/screen/shown-person'
import { participant } from './fakes'

const info = (status: string): SessionInfo => ({
  consultation: { id: 'c1', title: '协商会', status, mode: 'free', scheduled_at_ms: null, organization: null },
  name: '主会场',
  role: 'observer',
  venue: '主会场',
  room_full: false,
  participants: 3,
})

describe('the life of a big screen', () => {
  let byLink: boolean
  let looks: (string | SessionInfo)[]
  let doorCodes: string[]
  let entered: string[]
  let forgotten: number
  let resume: object | null
  let shown: ScreenPhase[]
  let life: ScreenLife

  beforeEach(() => {
    vi.useFakeTimers()
    ;[byLink, looks, doorCodes, entered, forgotten, resume, shown] = [true, [info('live')], [], [], 0, null, []]
    life = new ScreenLife({
      door: {
        get byLink() {
          return byLink
        },
        current: null,
        token: () => {
          const code = doorCodes.shift()
          return code ? Promise.reject(new ProblemError(code, 409)) : Promise.resolve('token')
        },
        forget: () => (forgotten += 1),
        readResume: () => resume,
        keepResume: (kept) => (resume = kept),
      },
      look: () => {
        const next = looks.length > 1 ? looks.shift() : looks[0]
        return typeof next === 'string' ? Promise.reject(new SessionError(next)) : Promise.resolve(next as SessionInfo)
      },
      enter: (token) => entered.push(token),
    })
    life.on('phase', (phase) => shown.push(phase))
  })
  afterEach(() => {
    life.stop()
    expect(vi.getTimerCount()).toBe(0)
    vi.useRealTimers()
  })
  const begin = async (): Promise<void> => {
    life.start()
    await vi.advanceTimersByTimeAsync(0)
  }

  it('enters a consultation that is open', async () => {
    for (const status of ['scheduled', 'rehearsal', 'live']) {
      looks = [info(status)]
      await begin()
      expect(entered.splice(0), status).toEqual(['token'])
    }
    life.inside()
    expect(life.phase).toEqual({ kind: 'inside' })
  })

  it('waits with the title card for one that has not begun, and enters when it may', async () => {
    looks = [info('draft'), info('draft'), info('live')]
    await begin()
    expect(shown.at(-1)).toEqual({ kind: 'before' })
    await vi.advanceTimersByTimeAsync(10_000)
    expect(entered).toEqual([])
    await vi.advanceTimersByTimeAsync(10_000)
    expect(entered).toEqual(['token'])
  })

  it('waits as well where the link gives no token yet', async () => {
    doorCodes = ['consultation_not_open']
    await begin()
    expect(shown.at(-1)).toEqual({ kind: 'before' })
    await vi.advanceTimersByTimeAsync(10_000)
    expect(entered).toEqual(['token'])
  })

  it('shows the end and goes on looking, for an end may be taken back', async () => {
    looks = [info('ended'), info('live')]
    await begin()
    expect(shown.at(-1)).toEqual({ kind: 'over' })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(entered).toEqual(['token'])
  })

  it('tries for ever while the server is away, and keeps what it shows', async () => {
    await begin()
    life.inside()
    looks = ['unreachable']
    life.over({ kind: 'refused', code: 'internal' })
    await vi.advanceTimersByTimeAsync(3_600_000)
    expect(shown).toEqual([{ kind: 'inside' }])
    looks = [info('live')]
    await vi.advanceTimersByTimeAsync(15_000)
    expect(entered).toEqual(['token', 'token'])
  })

  it('has another token given by its link, once, before it says that it is void', async () => {
    looks = ['token_expired', info('live')]
    await begin()
    await vi.advanceTimersByTimeAsync(0)
    expect(forgotten).toBe(1)
    expect(entered).toEqual(['token'])
    life.inside()
    looks = ['token_revoked']
    life.over({ kind: 'refused', code: 'token_revoked' })
    await vi.advanceTimersByTimeAsync(0)
    expect(shown.at(-1)).toEqual({ kind: 'refused', code: 'token_revoked' })
    looks = [info('live')]
    await vi.advanceTimersByTimeAsync(20_000)
    expect(entered).toEqual(['token', 'token'])
  })

  it('comes back with an expired token where it was inside before', async () => {
    byLink = false
    looks = ['token_expired']
    await begin()
    expect(shown.at(-1)).toEqual({ kind: 'refused', code: 'token_expired' })
    resume = { participant_id: 's_1', secret: 'x' }
    await vi.advanceTimersByTimeAsync(20_000)
    expect(entered).toEqual(['token'])
  })

  it('is another screen after another window took its place', async () => {
    await begin()
    life.inside()
    resume = { participant_id: 's_1', secret: 'x' }
    life.over({ kind: 'replaced' })
    expect(resume).toBeNull()
    await vi.advanceTimersByTimeAsync(4000)
    expect(entered).toEqual(['token', 'token'])
    expect(forgotten).toBe(0)
  })

  it('takes the picture away from a hall whose link was voided', async () => {
    await begin()
    life.inside()
    doorCodes = ['link_invalid']
    life.over({ kind: 'removed', by: '会务组', reason: 'revoked' })
    expect(shown.at(-1)).toEqual({ kind: 'opening' })
    await vi.advanceTimersByTimeAsync(4000)
    expect(shown.at(-1)).toEqual({ kind: 'refused', code: 'link_invalid' })
  })
})

describe('the door of a big screen', () => {
  beforeEach(() => window.sessionStorage.clear())
  afterEach(() => vi.unstubAllGlobals())

  it('exchanges the link once, and again when the token is good no longer', async () => {
    const asked: unknown[] = []
    vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
      asked.push([path, JSON.parse(init.body as string)])
      return Promise.resolve(new Response(JSON.stringify({ token: `t${asked.length}`, consultation_id: 'c1', expires_at_ms: 1 })))
    })
    const door = new ScreenDoor('c1', '#venue=v_1&code=abc')
    expect(door.byLink).toBe(true)
    expect([await door.token(), await door.token()]).toEqual(['t1', 't1'])
    expect(asked).toEqual([['/api/v1/screens/enter', { consultation_id: 'c1', venue_id: 'v_1', code: 'abc' }]])
    // A reload of the page goes on with what it had.
    expect(await new ScreenDoor('c1', '#venue=v_1&code=abc').token()).toBe('t1')
    door.forget()
    expect(await door.token()).toBe('t2')
  })

  it('says that there is nothing to open it with', async () => {
    await expect(new ScreenDoor('c1', '').token()).rejects.toMatchObject({ code: 'token_missing' })
  })

  it('keeps its secret apart from that of the room in the same tab', () => {
    window.sessionStorage.setItem('yuanshang.resume.c1', JSON.stringify({ participant_id: 'p_1', secret: 'room' }))
    const door = new ScreenDoor('c1', '')
    expect(door.readResume()).toBeNull()
    door.keepResume({ participant_id: 's_1', secret: 'x' })
    expect(new ScreenDoor('c1', '').readResume()).toEqual({ participant_id: 's_1', secret: 'x' })
    expect(window.sessionStorage.getItem('yuanshang.resume.c1')).toContain('room')
  })
})

describe('a page that broke', () => {
  it('loads itself anew, later each time, and once an error', () => {
    vi.useFakeTimers()
    let kept: string | null = null
    const waits: number[] = []
    for (let life = 0; life < 5; life += 1) {
      let reloads = 0
      const guard = new ScreenGuard({ reload: () => (reloads += 1), read: () => kept, write: (text) => (kept = text) })
      guard.broke()
      guard.broke()
      const from = Date.now()
      while (reloads === 0) vi.advanceTimersByTime(500)
      waits.push(Date.now() - from)
      vi.advanceTimersByTime(300_000)
      expect(reloads).toBe(1)
    }
    expect(waits).toEqual([1000, 5000, 20_000, 60_000, 60_000])
    vi.useRealTimers()
  })

  it('begins with the short wait after a while without trouble', () => {
    vi.useFakeTimers()
    let kept: string | null = '3'
    new ScreenGuard({ reload: () => undefined, read: () => kept, write: (text) => (kept = text) }).watch()
    vi.advanceTimersByTime(120_000)
    expect(kept).toBe('0')
    vi.useRealTimers()
  })
})

describe('whom a hall sees without a program', () => {
  const camera = (id: string) => ({ id, kind: 'video' as const, source: 'camera' as const, label: null, codec: 'VP8' })
  const hall = participant('hall', { camera: true, role: 'venue_operator', venue: '主会场', publications: [camera('v_hall')] })
  const chair = participant('chair', { camera: true, role: 'chair', publications: [camera('v_chair')] })
  const member = participant('member', { venue: '主会场', camera: false, publications: [] })

  it('who has the floor, else who speaks, else the hall', () => {
    const all = [chair, hall, member]
    expect(shownPerson(all, 'chair', 'hall')?.publication?.id).toBe('v_chair')
    expect(shownPerson(all, null, 'chair')?.publication?.id).toBe('v_chair')
    expect(shownPerson(all, null, null)?.publication?.id).toBe('v_hall')
    expect(shownPerson(all, 'gone', 'gone too')?.participant.id).toBe('hall')
  })

  it('who has no camera in the picture of the hall, under the own name', () => {
    expect(shownPerson([hall, member], 'member', null)).toEqual({ participant: member, publication: camera('v_hall') })
    expect(shownPerson([member], 'member', null)).toEqual({ participant: member, publication: null })
  })

  it('a shared screen before all', () => {
    const slides = { ...camera('v_slides'), source: 'screen' as const }
    const sharer = { ...chair, publications: [camera('v_chair'), slides] }
    expect(shownPerson([hall, sharer], 'hall', null)?.publication?.id).toBe('v_slides')
  })

  it('of several cameras the main one', () => {
    const two = { ...hall, publications: [camera('side'), { ...camera('stage'), main: true }] }
    expect(shownPerson([two], null, null)?.publication?.id).toBe('stage')
  })

  it('nobody while nobody is there', () => {
    expect(shownPerson([], null, null)).toBeNull()
  })
})
