import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { PublicConsultation } from '@/api/public'
import { CommentError, type CommentPage, type CommentReceipt, type PublicComment, type PublicResponse } from '@/api/public-comments'
import { matching } from '@/pages/answers/filter'
import { EMPTY, released, withLikes, withNewest, withOlder } from '@/pages/public/comments/comment-list'
import { CommentOutbox, isLetter, newKey, type CommentLetter, type Hold } from '@/pages/public/comments/comment-outbox'
import { commentingOf, lengthOf, listIsDue, listTickMs } from '@/pages/public/comments/commenting'
import { keepList, keepText, onOtherTab, readList, readText } from '@/pages/public/comments/kept'
import { above, asOwn, isOwn, MOST_OWN, ownPollMs, withAnswers, withSent, type OwnComment } from '@/pages/public/comments/own-comments'
import { speaks } from '@/pages/public/comments/presence'
import { fullStorage } from './fakes'

const draft = (text: string) => ({ text, nickname: '老李', region: null, program_time_ms: 5000, key: newKey() })

class Post {
  letters: CommentLetter[] = []
  hold: Hold | null = null
  readonly sent: { letter: CommentLetter; receipt: CommentReceipt }[] = []
  readonly attempts: string[] = []
  answers: (CommentReceipt | CommentError)[] = []
  stored: CommentLetter[] = []
  outbox = this.open()

  open(): CommentOutbox {
    return new CommentOutbox({
      read: () => this.stored,
      keep: (letters) => (this.stored = letters),
      send: async (letter) => {
        this.attempts.push(letter.key)
        const answer = this.answers.shift() ?? { id: `m${this.attempts.length}`, status: 'pending' }
        await Promise.resolve()
        if (answer instanceof CommentError) throw answer
        return answer
      },
      sent: (letter, receipt) => this.sent.push({ letter, receipt }),
      changed: (letters, hold) => {
        this.letters = letters
        this.hold = hold
      },
      chance: () => 0.5,
    })
  }
}

describe('comments on their way', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())
  const settle = async (ms = 0) => {
    await vi.advanceTimersByTimeAsync(ms)
  }

  it('go one after the other and are kept until they are acknowledged', async () => {
    const post = new Post()
    post.outbox.add(draft('一'))
    post.outbox.add(draft('二'))
    expect(post.stored.map((each) => each.text)).toEqual(['一', '二'])
    await settle()
    expect(post.sent.map(({ letter, receipt }) => [letter.text, receipt.id])).toEqual([['一', 'm1'], ['二', 'm2']])
    expect(post.stored).toEqual([])
    expect(post.letters).toEqual([])
  })

  it('come again under the same key, later and later, and at once when the network is back', async () => {
    const post = new Post()
    const offline = new CommentError('offline', 0)
    post.answers = [offline, offline, new CommentError('internal', 500)]
    const one = draft('一')
    post.outbox.add(one)
    await settle()
    expect(post.hold?.why).toBe('offline')
    await settle(1999)
    expect(post.attempts).toHaveLength(1)
    await settle(1)
    expect(post.attempts).toHaveLength(2)
    await settle(3999)
    expect(post.attempts).toHaveLength(2)
    post.outbox.wake()
    await settle()
    expect(post.attempts).toHaveLength(3)
    expect(post.stored).toHaveLength(1)
    post.outbox.wake()
    await settle()
    expect(new Set(post.attempts)).toEqual(new Set([one.key]))
    expect(post.sent).toHaveLength(1)
    expect(post.hold).toBeNull()
  })

  it('wait as long as the server says when they came too fast', async () => {
    const post = new Post()
    post.answers = [new CommentError('rate_limited', 429, 20)]
    post.outbox.add(draft('一'))
    await settle()
    expect(post.hold).toEqual({ why: 'fast', untilMs: Date.now() + 20_500 })
    post.outbox.wake()
    await settle(20_499)
    expect(post.attempts).toHaveLength(1)
    await settle(1)
    expect(post.sent).toHaveLength(1)
  })

  it('wait while comments are paused, whoever noticed it first', async () => {
    const post = new Post()
    post.outbox.pause(true)
    post.outbox.add(draft('一'))
    await settle(120_000)
    expect(post.attempts).toEqual([])
    expect(post.hold?.why).toBe('paused')
    post.answers = [new CommentError('comments_paused', 409)]
    post.outbox.pause(false)
    await settle()
    expect(post.hold?.why).toBe('paused')
    await settle(15_000)
    expect(post.sent).toHaveLength(1)
  })

  it('wait for who has to show first who they are', async () => {
    const post = new Post()
    post.answers = [new CommentError('identity_required', 403)]
    post.outbox.add(draft('一'))
    await settle(60_000)
    expect([post.attempts.length, post.hold?.why, post.letters[0]?.refused]).toEqual([1, 'identity', null])
    post.outbox.wake()
    await settle()
    expect(post.sent).toHaveLength(1)
  })

  it('stay with their refusal when the server will not have them, and hold up no other', async () => {
    const post = new Post()
    post.answers = [new CommentError('comments_closed', 409)]
    post.outbox.add(draft('一'))
    post.outbox.add(draft('二'))
    await settle()
    expect(post.letters.map((each) => [each.text, each.refused])).toEqual([['一', 'comments_closed']])
    expect(post.sent.map(({ letter }) => letter.text)).toEqual(['二'])
    post.outbox.drop(post.letters[0]?.key ?? '')
    expect(post.stored).toEqual([])
  })

  it('are sent by the next page when this one was closed, and not by the closed one', async () => {
    const post = new Post()
    post.answers = [new CommentError('offline', 0)]
    post.outbox.add(draft('一'))
    await settle()
    post.outbox.close()
    await settle(60_000)
    expect(post.attempts).toHaveLength(1)
    post.open()
    await settle()
    expect(post.sent).toHaveLength(1)
    expect(new Set(post.attempts).size).toBe(1)
  })

  it('leave alone what another tab wrote meanwhile', async () => {
    const post = new Post()
    post.answers = [new CommentError('offline', 0)]
    post.outbox.add(draft('一'))
    await settle()
    const other = { ...draft('二'), written_wall_ms: 1, refused: null }
    post.stored = [...post.stored, other]
    post.outbox.reread()
    await settle()
    expect(post.sent.map(({ letter }) => letter.text)).toEqual(['一', '二'])
    expect(post.stored).toEqual([])
  })

  it('have keys that nobody else has', () => {
    expect(newKey()).toMatch(/^[0-9a-f]{32}$/)
    expect(new Set(Array.from({ length: 100 }, newKey)).size).toBe(100)
    expect(isLetter({ ...draft('一'), written_wall_ms: 1, refused: null })).toBe(true)
    expect([null, 1, {}, { key: 'x' }].some(isLetter)).toBe(false)
  })
})

const letter = (text: string, at: number): CommentLetter => ({ ...draft(text), written_wall_ms: at, refused: null })
const own = (id: string, more: Partial<OwnComment> = {}): OwnComment => ({
  ...{ id, text: id, nickname: '老李', region: null, at_wall_ms: 0, status: 'pending', reason: null, response: null },
  ...more,
})

describe('what became of one’s own', () => {
  it('is remembered once, newest first, and not without end', () => {
    let list: OwnComment[] = []
    for (let at = 0; at < MOST_OWN + 5; at += 1) list = withSent(list, letter(`第${at}条`, at), { id: `m${at}`, status: 'pending' })
    expect(list).toHaveLength(MOST_OWN)
    expect([list[0]?.text, list[list.length - 1]?.text]).toEqual([`第${MOST_OWN + 4}条`, '第5条'])
    expect(withSent(list, letter('第7条', 7), { id: 'm7', status: 'approved' }).filter((each) => each.id === 'm7')).toMatchObject([{ status: 'approved' }])
  })

  it('is told by the server; what it does not know stays', () => {
    const response = { id: 'r', state: 'answered', department: '市民政局', due_wall_ms: null, answer: null, rating: null }
    const told = withAnswers(
      [own('a'), own('b', { status: 'approved' })],
      [
        { id: 'a', status: 'rejected', text: 'a', nickname: '匿名网友', reason: 'phone' },
        { id: 'x', status: 'approved', text: 'x', nickname: 'x', response },
      ],
    )
    expect(told).toEqual([own('a', { status: 'rejected', nickname: '匿名网友', reason: 'phone' }), own('b', { status: 'approved' })])
    expect(withAnswers([own('x')], [{ id: 'x', status: 'answered', text: 'x', nickname: 'x', response }])[0]?.response).toEqual(response)
  })

  it('is asked for soon while something waits, rarely later, never without reason', () => {
    const wait = (list: OwnComment[], now: number) => ownPollMs(list, now, 0.5)
    expect(wait([], 0)).toBeNull()
    expect(wait([own('a')], 60_000)).toBe(6000)
    expect(wait([own('a')], 300_000)).toBe(20_000)
    expect(wait([own('a')], 9_000_000)).toBe(60_000)
    expect(wait([own('a', { status: 'approved' })], 0)).toBe(60_000)
    expect(wait([own('a', { status: 'rejected' }), own('b', { status: 'withdrawn' })], 0)).toBe(600_000)
    expect(ownPollMs([own('a')], 0, 0.5, 300)).toBe(ownPollMs([own('a')], 0, 0.5))
    expect(ownPollMs([own('a')], 0, 0.5, 76_000)).toBe(10 * (ownPollMs([own('a')], 0, 0.5) ?? 0))
    expect(ownPollMs([own('a')], 0, 0)).toBeLessThan(ownPollMs([own('a')], 0, 0.99) ?? 0)
  })

  it('stands above the list only while nobody else sees it', () => {
    const list = [own('a'), own('b', { status: 'approved' }), own('c', { status: 'rejected' }), own('d'), own('e')]
    expect(above(list, new Set(['d']), 0).map((each) => each.id)).toEqual(['a', 'c', 'e'])
    expect(above(list, new Set(), 3_600_000).map((each) => each.id)).toEqual(['a', 'd', 'e'])
    const merged = [own('a', { status: 'promoted' }), own('b', { status: 'answered' }), own('c', { status: 'withdrawn' })]
    expect(above(merged, new Set(), 3_600_000).map((each) => each.id)).toEqual(['a', 'b'])
  })

  it('is told in everybody’s list as well, when another one stands for it', () => {
    const theirs = said('a')
    expect(asOwn(theirs, undefined)).toBe(theirs)
    expect(asOwn(theirs, own('a', { status: 'approved' }))).toBe(theirs)
    expect(asOwn(theirs, own('a', { status: 'promoted' })).status).toBe('promoted')
    expect(asOwn(said('a', { status: 'answered' }), own('a', { status: 'promoted' })).status).toBe('answered')
  })

  it('of another shape is as if nothing was kept', () => {
    keepText('k', '{"a": 1}')
    expect(readList('k', isOwn)).toEqual([])
    keepText('k', 'no json')
    expect(readList('k', isOwn)).toEqual([])
    keepList('k', [own('a'), { id: 3 }, null])
    expect(readList('k', isOwn)).toEqual([own('a')])
    keepList('k', [])
    expect(readText('k')).toBe('')
    expect(window.localStorage.getItem('k')).toBeNull()
  })

  it('lasts as long as the page where storage is refused', () => {
    const room = fullStorage()
    expect(keepText('k2', '还没有发出')).toBe(false)
    expect(readText('k2')).toBe('还没有发出')
    room()
  })

  it('is what was written last, where storage still has what was written before', () => {
    keepText('k3', '旧的')
    const room = fullStorage()
    keepText('k3', '新的')
    expect(readText('k3')).toBe('新的')
    const heard = vi.fn()
    const stop = onOtherTab('k3', heard)
    window.dispatchEvent(new StorageEvent('storage', { key: 'k3' }))
    stop()
    expect(heard).toHaveBeenCalledOnce()
    expect(readText('k3')).toBe('新的')
    room()
    expect(keepText('k3', '再写')).toBe(true)
    window.localStorage.setItem('k3', '别处写的')
    expect(readText('k3')).toBe('别处写的')
  })

  it('is kept by the page where even looking into the storage is forbidden', () => {
    const forbidden = vi.spyOn(window, 'localStorage', 'get').mockImplementation(() => {
      throw new DOMException('denied', 'SecurityError')
    })
    expect(keepText('k4', '写到一半')).toBe(false)
    expect(readText('k4')).toBe('写到一半')
    keepText('k4', '')
    expect(readText('k4')).toBe('')
    forbidden.mockRestore()
  })
})

const said = (id: string, more: Partial<PublicComment> = {}): PublicComment => ({
  ...{ id, nickname: '老李', region: null, text: id, program_time_ms: null, at_wall_ms: 0, status: 'approved', likes: 0 },
  ...more,
})
const page = (ids: string, next: number | null = null, total = ids.length): CommentPage => ({ items: [...ids].map((id) => said(id)), next, total })
const ids = (list: { items: PublicComment[] }): string => list.items.map((each) => each.id).join('')

describe('everybody’s comments', () => {
  it('grow on top, and below when asked', () => {
    let list = withNewest(EMPTY, page('edc', 3, 5), false)
    list = withOlder(list, page('cba', null, 5))
    expect([ids(list), list.next, list.total]).toEqual(['edcba', null, 5])
    list = withNewest(list, page('gfe', 5, 7), false)
    expect([ids(list), list.next, list.total, list.unread]).toEqual(['gfedcba', null, 7, 0])
  })

  it('keep the place of the page behind while only new ones come', () => {
    let list = withNewest(EMPTY, page('edc', 3, 9), false)
    list = withNewest(list, page('gfe', 5, 11), false)
    expect([ids(list), list.next]).toEqual(['gfedc', 3])
  })

  it('do not move under a reader, who is told how many are new', () => {
    let list = withNewest(EMPTY, page('cba'), false)
    list = withNewest(list, page('edcba'), true)
    expect([ids(list), list.unread, list.total]).toEqual(['cba', 2, 5])
    list = withNewest(list, page('fedcba'), true)
    expect([ids(list), list.unread]).toEqual(['cba', 3])
    list = released(list)
    expect([ids(list), list.unread]).toEqual(['fedcba', 0])
    expect(released(list)).toBe(list)
  })

  it('lose at once what was hidden, also under a reader', () => {
    let list = withNewest(EMPTY, page('dcba'), false)
    list = withNewest(list, page('dba'), true)
    expect(ids(list)).toBe('dba')
    list = withNewest(list, page('edb', 2, 4), true)
    expect([ids(list), list.unread]).toEqual(['dba', 1])
    expect(ids(withNewest(list, page(''), true))).toBe('')
  })

  it('take what changed in its place', () => {
    const list = withNewest(withNewest(EMPTY, page('ba'), false), { items: [said('b', { status: 'answered', likes: 3 }), said('a')], next: null, total: 2 }, true)
    expect(list.items[0]).toMatchObject({ id: 'b', status: 'answered', likes: 3 })
    expect(withLikes(list, 'a', 9).items[1]?.likes).toBe(9)
  })

  it('begin anew when nothing is known of what lies between', () => {
    const old = withOlder(withNewest(EMPTY, page('cb', 2, 9), false), page('a', null, 9))
    const list = withNewest(old, page('zyx', 30, 40), true)
    expect([ids(list), list.unread]).toEqual(['cba', 3])
    expect([ids(released(list)), released(list).next]).toEqual(['zyx', 30])
    expect(ids(withNewest(old, page('zyx', 30, 40), false))).toBe('zyx')
  })

  it('put what is shown again where it belongs', () => {
    expect(ids(withNewest(withNewest(EMPTY, page('dba'), false), page('dcba'), false))).toBe('dcba')
  })
})

const PAGE = { status: 'live', closing_at_ms: null, comments: null } as unknown as PublicConsultation

describe('whether one may write', () => {
  it.each([
    [{}, 'live', 'open'],
    [{}, 'cut', 'paused'],
    [{ status: 'ended', closing_at_ms: 1001 }, 'replay', 'open'],
    [{ status: 'ended', closing_at_ms: 1000 }, 'replay', 'closed'],
    [{ status: 'archived' }, 'replay', 'closed'],
    [{ status: 'cancelled' }, 'off', 'closed'],
    [{ comments: { state: 'off', total: 0, moderation: 'pre' } }, 'live', 'off'],
    [{ comments: { state: 'paused', total: 0, moderation: 'pre' } }, 'live', 'paused'],
  ] as const)('%o in %s: %s', (more, phase, wanted) => {
    expect(commentingOf({ ...PAGE, ...more } as PublicConsultation, phase, 1000)).toBe(wanted)
  })

  it('counts signs as the server does', () => {
    expect(lengthOf('  老人🙂👍 ')).toBe(4)
  })

  it('asks for the list when it grew, now and then else', () => {
    const known = { ...PAGE, comments: { state: 'open', total: 5, moderation: 'pre' } } as PublicConsultation
    expect(listIsDue(known, 'live', 5, 19_999)).toBe(false)
    expect(listIsDue(known, 'live', 5, 20_000)).toBe(true)
    expect(listIsDue(known, 'live', 4, 0)).toBe(true)
    expect(listIsDue(known, 'replay', 5, 59_999)).toBe(false)
    expect(listIsDue(PAGE, 'live', 5, 0)).toBe(true)
    expect(listTickMs('live', 0, 0.5)).toBeLessThan(listTickMs('replay', 0, 0.5))
    expect(listTickMs('live', 9, 0.5)).toBe(30_000)
  })

  it('lets a share of the viewers say that they are there', () => {
    const view = (start: string) => start.padEnd(32, '0')
    expect([speaks(view('3fffffff'), { share: 0.25 }), speaks(view('40000000'), { share: 0.25 }), speaks(view('00000000'), null), speaks(view('ffffffff'), { share: 1 })]).toEqual([true, false, false, true])
  })
})

describe('the list of answers', () => {
  const item = (id: string, more: Partial<PublicResponse>): PublicResponse => ({
    ...{ id, label: '第 2026-1120-07 号', nickname: '杏林', region: '柳塘街道', authors: 1, text: '助餐点能不能接受现金？', promoted: false, state: 'answered' },
    ...{ department: '市民政局', due_wall_ms: null, overdue_days: 0, reminded: 0, answer: { text: '可以用现金', at_wall_ms: 1 }, program_from_ms: null, ratings: { satisfied: 0, fairly: 0, unsatisfied: 0 } },
    ...more,
  })
  const items = [item('a', {}), item('b', { state: 'closed', text: '呼叫器坏了找谁修', answer: { text: '拨打 12345', at_wall_ms: 1 } }), item('c', { state: 'pending', answer: null, department: null })]
  const found = (shown: 'answered' | 'pending', words: string): string => matching(items, shown, words).map((each) => each.id).join('')

  it('shows answered and pending apart, and finds words in question, answer and department', () => {
    expect([found('answered', ''), found('pending', '')]).toEqual(['ab', 'c'])
    expect([found('answered', '12345'), found('answered', '１２３４５　找谁'), found('answered', '民政'), found('answered', '现金 12345'), found('pending', '柳塘')]).toEqual(['b', 'b', 'ab', '', 'c'])
  })
})
