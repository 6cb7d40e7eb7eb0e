import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { nextTick } from 'vue'
import type { RequestName, Snapshot } from '@/api/messages'
import type { CommentGroup, CommentsUpdated, ModeratedComment, Promotion } from '@/api/moderation'
import { RequestError } from '@/api/room-socket'
import { i18n } from '@/i18n'
import { authorText, markedText, reasonTexts, spanText } from '@/pages/desk/comments/comment-words'
import { useCommentActs } from '@/stores/comment-acts'
import { useCommentCursor } from '@/stores/comment-cursor'
import { useCommentGroup } from '@/stores/comment-group'
import { useComments } from '@/stores/comments'
import { useLine } from '@/stores/line'
import { useNotices } from '@/stores/notices'
import { usePromotions } from '@/stores/promotions'
import { useRoom } from '@/stores/room'
import { useRoomPromotion } from '@/stores/room-promotion'
import { agendaItem, holding, settle, snapshot } from './fakes'

const { t, te } = i18n.global
const words = { t, te: (key: string) => te(key, 'zh-CN') }

function comment(id: string, more: Partial<ModeratedComment> = {}): ModeratedComment {
  return {
    id,
    number: Number(id.replace(/\D/g, '')) || 1,
    nickname: '老王',
    region: null,
    text: `留言 ${id}`,
    program_time_ms: null,
    at_wall_ms: 0,
    state: 'pending',
    level: 'pass',
    reasons: [],
    group_id: `g${id}`,
    likes: 0,
    reports: 0,
    decided_by: null,
    reject_reason: null,
    ...more,
  }
}

function group(id: string, authors = 1, more: Partial<CommentGroup> = {}): CommentGroup {
  const number = Number(id.replace(/\D/g, '')) || 1
  return {
    id,
    representative: comment(`c${number}`, { number, group_id: id }),
    authors,
    states: { pending: authors },
    claimed_by: null,
    first_wall_ms: number,
    last_wall_ms: number,
    ...more,
  }
}

const counts = (more: object = {}): CommentsUpdated['counts'] => ({ states: { pending: 3 }, waiting_groups: 3, oldest_wall_ms: 1, per_second: 5, last_number: 90, ...more })

function batch(groups: CommentGroup[], more: Partial<CommentsUpdated> = {}): CommentsUpdated {
  return { counts: counts(), groups, gone: [], complete: true, promotions: [], moderators: ['陈'], ...more }
}

function card(id: string, more: Partial<Promotion> = {}): Promotion {
  return {
    id,
    comment_id: 'c1',
    group_id: 'g1',
    phase: 'proposed',
    text: '能不能收现金',
    nickname: '杏林',
    place: null,
    authors: 4,
    proposed_by: '陈',
    proposed_wall_ms: 0,
    decided_by: null,
    item_id: null,
    started_at_ms: null,
    ended_at_ms: null,
    answering: null,
    ...more,
  }
}

class FakeLine {
  readonly asked: { name: string; payload: unknown }[] = []
  answers: Record<string, (payload: never) => unknown> = {}
  request = <Name extends RequestName>(name: Name, payload: unknown): Promise<never> => {
    this.asked.push({ name, payload })
    try {
      return Promise.resolve((this.answers[name]?.(payload as never) ?? {}) as never)
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }
  of(name: string): unknown[] {
    return this.asked.filter((each) => each.name === name).map((each) => each.payload)
  }
}

let line: FakeLine
let listed: { items: CommentGroup[]; next: string | null }

beforeEach(() => {
  vi.useFakeTimers()
  window.history.replaceState(null, '', '/desk/c1/comments')
  setActivePinia(createPinia())
  line = new FakeLine()
  listed = { items: [group('g1', 9), group('g2', 4), group('g3')], next: null }
  line.answers['comments.list'] = () => ({ ...listed, total: 3, counts: counts(), promotions: [] })
  line.answers['comments.group'] = () => ({ items: [comment('c1')], next: null })
  useLine().use(line)
})
afterEach(() => vi.useRealTimers())

async function open(can: string[] = ['comment.moderate', 'comment.promote']): Promise<ReturnType<typeof useComments>> {
  const told = snapshot()
  useRoom().take({ ...told, self: { ...told.self, name: '陈', can } })
  const comments = useComments()
  useCommentCursor()
  useLine().up = true
  await comments.open()
  await settle()
  return comments
}

describe('the queue', () => {
  it('is asked for once one may moderate, the largest group first', async () => {
    const comments = await open()
    expect(line.of('comments.list').at(-1)).toEqual({ states: ['pending'], order: 'authors', limit: 100 })
    expect(comments.rows).toEqual(['g1', 'g2', 'g3'])
    expect(comments.waiting).toBe(3)
    expect(useCommentCursor().at).toBe('g1')
  })

  it('is not asked for by others', async () => {
    await open([])
    expect(line.of('comments.list')).toEqual([])
  })

  it('takes new groups and new sizes in while nobody is at a row', async () => {
    const comments = await open()
    comments.apply(batch([group('g4', 6), group('g3', 12)]))
    expect(comments.rows).toEqual(['g3', 'g1', 'g4', 'g2'])
    expect(comments.fresh.size).toBe(0)
  })

  it('does so once a second at most', async () => {
    const comments = await open()
    comments.apply(batch([group('g4', 60)]))
    comments.apply(batch([group('g5', 70)]))
    expect(comments.rows[0]).toBe('g4')
    vi.advanceTimersByTime(1000)
    expect(comments.rows[0]).toBe('g5')
  })

  it('moves no row while one is worked on: new groups wait, what others decided stays in its place', async () => {
    const comments = await open()
    comments.hold('row', true)
    await nextTick()
    comments.apply(batch([group('g4', 60), group('g3', 12), group('g2', 4, { states: { approved: 4 } })], { gone: ['g1'] }))
    expect(comments.rows).toEqual(['g1', 'g2', 'g3'])
    expect(comments.groups.get('g3')?.authors).toBe(12)
    expect([...comments.fresh]).toEqual(['g4'])
    expect(['g1', 'g2', 'g3'].map((id) => comments.fits(comments.groups.get(id) as CommentGroup))).toEqual([false, false, true])
    await comments.showNew()
    expect(comments.rows).toEqual(['g4', 'g3'])
    expect(useCommentCursor().at).toBe('g4')
  })

  it('settles when the row is left', async () => {
    const comments = await open()
    comments.hold('row', true)
    await nextTick()
    comments.apply(batch([group('g4', 60)]))
    comments.hold('row', false)
    await nextTick()
    expect(comments.rows).toEqual(['g4', 'g1', 'g2', 'g3'])
  })

  it('goes to the first row when so many came that the one before is out of sight, but not from under somebody', async () => {
    const comments = await open()
    const cursor = useCommentCursor()
    cursor.go('g3')
    const many = Array.from({ length: 50 }, (_, at) => group(`g${at + 10}`, 50 + at))
    comments.hold('row', true)
    comments.apply(batch(many))
    await comments.showNew()
    await nextTick()
    expect(cursor.at).toBe('g3')
    comments.hold('row', false)
    comments.apply(batch([group('g99', 500)]))
    await nextTick()
    expect(cursor.at).toBe('g99')
  })

  it('leaves out what belongs behind the last row while the server has more', async () => {
    listed = { items: [group('g1', 9), group('g2', 4)], next: 'g2' }
    const comments = await open()
    comments.apply(batch([group('g8', 2), group('g9', 5)]))
    expect(comments.rows).toEqual(['g1', 'g9', 'g2'])
    expect(comments.groups.has('g8')).toBe(false)
  })

  it('asks for the next page behind the last row that still waits', async () => {
    listed = { items: [group('g1', 9), group('g2', 4)], next: 'g2' }
    const comments = await open()
    await settle()
    comments.groups.set('g2', group('g2', 4, { states: { approved: 4 } }))
    line.answers['comments.list'] = () => ({ items: [group('g5', 2), group('g6')], next: null, total: 4, counts: counts(), promotions: [] })
    comments.hold('row', true)
    await comments.further()
    expect(line.of('comments.list').at(-1)).toMatchObject({ after: 'g1' })
    expect(comments.rows).toEqual(['g1', 'g2', 'g5', 'g6'])
    expect(comments.more).toBe(false)
  })

  it('reads the list anew when a batch did not hold everything, and shows it when rows may move', async () => {
    const comments = await open()
    comments.hold('row', true)
    await nextTick()
    listed.items = [group('g7', 20), ...listed.items]
    comments.apply(batch([], { complete: false }))
    const before = line.of('comments.list').length
    await comments.showNew()
    await settle()
    expect(line.of('comments.list').length).toBe(before + 1)
    expect(comments.rows[0]).toBe('g7')
  })

  it('is asked for again by itself when the server did not give it, and says so once', async () => {
    const { 'comments.list': answering } = line.answers
    line.answers['comments.list'] = () => {
      throw new RequestError('storage_unavailable')
    }
    const comments = await open()
    expect([comments.loaded, useNotices().toasts.length]).toEqual([false, 1])
    await vi.advanceTimersByTimeAsync(8000)
    expect(useNotices().toasts).toHaveLength(0)
    line.answers['comments.list'] = answering as () => unknown
    await vi.advanceTimersByTimeAsync(4000)
    expect([comments.loaded, comments.rows]).toEqual([true, ['g1', 'g2', 'g3']])
    const before = line.of('comments.list').length
    await vi.advanceTimersByTimeAsync(60_000)
    expect(line.of('comments.list').length).toBe(before)
  })

  it('does not forget that a batch did not hold everything when it could not be read anew', async () => {
    const comments = await open()
    const { 'comments.list': answering } = line.answers
    line.answers['comments.list'] = () => {
      throw new RequestError('storage_unavailable')
    }
    comments.apply(batch([], { complete: false }))
    await vi.advanceTimersByTimeAsync(2000)
    listed.items = [group('g7', 20), ...listed.items]
    line.answers['comments.list'] = answering as () => unknown
    await vi.advanceTimersByTimeAsync(4000)
    expect(comments.rows[0]).toBe('g7')
  })

  it('narrows by words, flag and topic, and takes in of what comes only what can belong', async () => {
    const comments = await open()
    comments.choose({ search: '电梯', flag: 'contact' })
    await settle()
    expect(line.of('comments.list').at(-1)).toEqual({ states: ['pending'], order: 'authors', limit: 100, search: '电梯', reason: 'contact' })
    const reasons = [{ code: 'contact_phone', what: '139', start: 0, end: 3, field: 'text' }]
    const right = group('g11', 30, { representative: comment('c11', { text: '修电梯找我 139', reasons }) })
    comments.apply(batch([group('g10', 40, { representative: comment('c10', { text: '电梯' }) }), right]))
    expect(comments.rows[0]).toBe('g11')
    expect(comments.rows).not.toContain('g10')
    comments.choose({ search: '', flag: null, topic: 't1' })
    await settle()
    comments.apply(batch([group('g12', 90)]))
    expect(comments.rows).not.toContain('g12')
  })

  it('forgets the rate when nothing more is told', async () => {
    const comments = await open()
    comments.apply(batch([]))
    expect(comments.rate()).toBe(5)
    vi.advanceTimersByTime(11_000)
    expect(comments.rate()).toBe(0)
    expect(comments.rates.length).toBe(1)
  })

  it('keeps counts and proposals also where the place is not open', async () => {
    const comments = await open()
    comments.close()
    comments.apply(batch([group('g9')], { counts: counts({ states: { pending: 7, held: 2 } }), promotions: [card('p1')] }))
    expect(comments.rows).toEqual([])
    expect(comments.waiting).toBe(9)
    expect(usePromotions().proposed.map((each) => each.id)).toEqual(['p1'])
  })
})

describe('deciding', () => {
  const decided = (groups: CommentGroup[], more: object = {}): unknown => ({ changed: 9, ids: ['c1'], groups, undo: 'u1', ...more })

  it('names what was shown of the group, and the next row has its turn', async () => {
    const comments = await open()
    line.answers['comment.approve'] = () => decided([group('g1', 9, { states: { approved: 9 } })])
    expect(await useCommentActs().decide('approve')).toBe(true)
    expect(line.of('comment.approve')).toEqual([{ groups: ['g1'], waiting: 9, up_to: 90 }])
    expect(comments.rows).toEqual(['g2', 'g3'])
    expect(useCommentCursor().at).toBe('g2')
    expect(useNotices().toasts.at(-1)?.text).toBe('已通过 9 条')
  })

  it('goes on before the answer comes, and decides nothing twice', async () => {
    await open()
    let answer: (value: unknown) => void = () => undefined
    line.answers['comment.approve'] = () => new Promise((resolve) => (answer = resolve))
    const acts = useCommentActs()
    const first = acts.decide('approve')
    expect(useCommentCursor().at).toBe('g2')
    await acts.decide('approve', undefined, ['g1'])
    expect(line.of('comment.approve').length).toBe(1)
    answer(decided([]))
    await first
    expect(acts.busy.size).toBe(0)
  })

  it('rejects with a reason, several marked ones at once', async () => {
    const comments = await open()
    const cursor = useCommentCursor()
    line.answers['comment.reject'] = () => decided([group('g1', 0, { states: { rejected: 9 } }), group('g2', 0, { states: { rejected: 4 } })])
    cursor.toggle('g1')
    cursor.range('g2')
    await useCommentActs().decide('reject', '广告或推广')
    expect(line.of('comment.reject')).toEqual([{ groups: ['g1', 'g2'], waiting: 13, up_to: 90, reason: '广告或推广' }])
    expect(comments.rows).toEqual(['g3'])
    expect(cursor.marked.size).toBe(0)
    expect(cursor.at).toBe('g3')
  })

  it('says when more came than was shown, and leaves the row', async () => {
    const comments = await open()
    line.answers['comment.approve'] = () => {
      throw new RequestError('comment_changed')
    }
    expect(await useCommentActs().decide('approve')).toBe(false)
    expect(comments.rows).toEqual(['g1', 'g2', 'g3'])
    expect(useNotices().toasts.at(-1)?.text).toBe('这条留言刚刚有了变化')
    expect(useCommentActs().steps).toEqual([])
  })

  it('leaves what another moderator works on alone, until it is taken over', async () => {
    const comments = await open()
    const acts = useCommentActs()
    comments.apply(batch([group('g1', 9, { claimed_by: '刘' })], { moderators: ['陈', '刘'] }))
    expect(acts.takenBy(comments.groups.get('g1') as CommentGroup)).toBe('刘')
    await acts.decide('approve')
    expect(line.of('comment.approve')).toEqual([])
    expect(useNotices().toasts.at(-1)?.text).toContain('刘正在处理')
    line.answers['comment.claim'] = () => ({ group: group('g1', 9, { claimed_by: '陈' }) })
    await acts.claim('g1', true)
    expect(line.of('comment.claim')).toEqual([{ id: 'c1', take_over: true }])
    expect(acts.takenBy(comments.groups.get('g1') as CommentGroup)).toBeNull()
  })

  it('is undone step by step, the last one first, ten at most', async () => {
    listed.items = Array.from({ length: 12 }, (_, at) => group(`g${at + 1}`, 20 - at))
    const comments = await open()
    const acts = useCommentActs()
    let n = 0
    line.answers['comment.approve'] = ({ groups: ids }: { groups: string[] }) => decided([group(ids[0] ?? '', 1, { states: { approved: 1 } })], { undo: `u${(n += 1)}` })
    for (let at = 0; at < 12; at += 1) await acts.decide('approve')
    expect(comments.rows).toEqual([])
    expect(acts.steps.length).toBe(10)
    line.answers['comment.undo'] = () => ({ changed: 1, groups: [group('g12', 9)] })
    await acts.takeBack()
    expect(line.of('comment.undo')).toEqual([{ id: 'u12' }])
    expect(comments.rows).toEqual(['g12'])
    expect(useCommentCursor().at).toBe('g12')
    for (let at = 0; at < 9; at += 1) await acts.takeBack()
    await acts.takeBack()
    expect(line.of('comment.undo').length).toBe(10)
    expect(useNotices().toasts.at(-1)?.text).toBe('没有可以撤销的操作')
    expect(useNotices().toasts.filter((each) => each.action)).toEqual([])
  })

  it('names held ones one by one: each was held for a reason of its own', async () => {
    listed.items = [group('g1', 1, { representative: comment('c1', { state: 'held' }), states: { held: 1 } }), group('g2', 5, { states: { pending: 4, held: 1 } })]
    const comments = await open()
    comments.choose({ queue: 'held' })
    await settle()
    line.answers['comment.approve'] = () => decided([])
    await useCommentActs().decide('approve', undefined, ['g1'])
    expect(line.of('comment.approve')).toEqual([{ ids: ['c1'] }])
    expect(await useCommentActs().decide('approve', undefined, ['g2'])).toBe(false)
    expect(line.of('comment.approve').length).toBe(1)
    expect(useNotices().toasts.at(-1)?.text).toBe('这一组要在右边逐条处理')
  })

  it('decides a topic as it was counted', async () => {
    await open()
    line.answers['comment.approve'] = () => decided([])
    await useCommentActs().decideTopic('approve', { id: 't1', name: '助餐', groups: 3, comments: 9, waiting: 8 }, 70)
    expect(line.of('comment.approve')).toEqual([{ topic: 't1', waiting: 8, up_to: 70 }])
  })
})

describe('groups', () => {
  it('merges into the group that is chosen, and splits what came again', async () => {
    const comments = await open()
    const acts = useCommentActs()
    const cursor = useCommentCursor()
    cursor.go('g3')
    acts.beginMerge()
    expect(cursor.mode).toBe('merge')
    cursor.go('g1')
    expect(cursor.mode).toBe('merge')
    line.answers['comment.merge'] = () => ({ changed: 1, ids: ['c3'], groups: [group('g1', 10)] })
    await acts.merge(cursor.merging, 'g1')
    expect(line.of('comment.merge')).toEqual([{ ids: ['c1', 'c3'] }])
    expect(comments.rows).toEqual(['g1', 'g2'])
    line.answers['comment.split'] = () => ({ changed: 1, ids: ['c3'], groups: [group('g9', 1), group('g1', 9)] })
    await acts.takeBack()
    expect(line.of('comment.split')).toEqual([{ ids: ['c3'] }])
    expect(comments.rows).toContain('g9')
  })

  it('merges as many as were marked, in parts, into the largest of them', async () => {
    listed.items = Array.from({ length: 250 }, (_, at) => group(`g${at + 1}`, at === 7 ? 90 : 1))
    const comments = await open()
    comments.wanted.order = 'oldest'
    const cursor = useCommentCursor()
    for (const id of comments.rows) cursor.toggle(id)
    line.answers['comment.merge'] = ({ ids }: { ids: string[] }) => ({ changed: ids.length - 1, ids: ids.slice(1), groups: [group('g8', 90 + ids.length)] })
    useCommentActs().beginMerge()
    await settle()
    const asked = line.of('comment.merge') as { ids: string[] }[]
    expect(asked.map(({ ids }) => [ids[0], ids.length])).toEqual([['c8', 200], ['c8', 51]])
    expect(new Set(asked.flatMap(({ ids }) => ids)).size).toBe(250)
    expect(comments.rows).toEqual(['g8'])
    expect(useNotices().toasts.at(-1)?.text).toBe('已并入 249 条')
    expect(useCommentActs().busy.size).toBe(0)
  })

  it('lets stand for the largest group what stood for it, though an earlier comment came into it', async () => {
    listed.items = [group('g2', 1), group('g5', 9)]
    const comments = await open()
    const cursor = useCommentCursor()
    const earliest = group('g5', 10, { representative: comment('c2') })
    line.answers['comment.merge'] = () => ({ changed: 1, ids: ['c2'], groups: [earliest] })
    line.answers['comment.represent'] = () => ({ group: group('g5', 10) })
    cursor.toggle('g2')
    cursor.toggle('g5')
    useCommentActs().beginMerge()
    await settle()
    expect(line.of('comment.merge')).toEqual([{ ids: ['c5', 'c2'] }])
    expect(line.of('comment.represent')).toEqual([{ id: 'c5' }])
    expect(comments.groups.get('g5')?.representative.id).toBe('c5')
  })

  it('leaves the rows of what could not be merged', async () => {
    listed.items = Array.from({ length: 250 }, (_, at) => group(`g${at + 1}`))
    const comments = await open()
    const cursor = useCommentCursor()
    for (const id of comments.rows) cursor.toggle(id)
    let n = 0
    line.answers['comment.merge'] = () => {
      n += 1
      if (n > 1) throw new RequestError('comment_claimed')
      return { changed: 199, ids: [], groups: [group('g1', 200)] }
    }
    useCommentActs().beginMerge()
    await settle()
    expect(comments.rows).toHaveLength(51)
    expect(useCommentActs().busy.size).toBe(0)
  })

  it('stay as far unrolled as they were, with what is marked in them, when they are read anew', async () => {
    await open()
    const all = Array.from({ length: 250 }, (_, at) => comment(`c${at + 1}`))
    line.answers['comments.group'] = ({ after, limit }: { after?: string; limit: number }) => {
      const begin = all.findIndex((each) => each.id === after) + 1
      const items = all.slice(begin, begin + limit)
      return { items, next: begin + limit < all.length ? items.at(-1)?.id : null }
    }
    const opened = useCommentGroup()
    await opened.load()
    await opened.further()
    opened.toggle('c150')
    opened.toggle('c20')
    all.splice(19, 1)
    await opened.load()
    expect([opened.items.length, opened.next, [...opened.marked]]).toEqual([200, 'c201', ['c150']])
  })

  it('keep what is marked in them when a decision was refused', async () => {
    await open()
    line.answers['comments.group'] = () => ({ items: [comment('c1'), comment('c5')], next: null })
    const opened = useCommentGroup()
    await opened.load()
    opened.toggle('c5')
    line.answers['comment.hold'] = () => {
      throw new RequestError('storage_unavailable')
    }
    expect(await useCommentActs().decideSome('hold', ['c5'])).toBe(false)
    expect([...opened.marked]).toEqual(['c5'])
  })

  it('takes the row of what was split off away again when that is undone', async () => {
    const comments = await open()
    line.answers['comments.group'] = () => ({ items: [comment('c1'), comment('c5')], next: null })
    await useCommentGroup().load()
    line.answers['comment.split'] = () => ({ changed: 1, ids: ['c5'], groups: [group('g5', 1), group('g1', 8)] })
    await useCommentActs().splitOff(['c5'])
    expect(comments.rows).toContain('g5')
    line.answers['comment.merge'] = () => ({ changed: 1, ids: ['c5'], groups: [group('g1', 9)] })
    comments.hold('side', true)
    await useCommentActs().takeBack()
    expect(line.of('comment.merge')).toEqual([{ ids: ['c1', 'c5'] }])
    expect(comments.rows).toEqual(['g1', 'g2', 'g3'])
  })

  it('shows its comments once one stays, those of the queue after the one that stands for all', async () => {
    await open()
    line.answers['comments.group'] = () => ({ items: [comment('c1'), comment('c5', { state: 'approved' }), comment('c6')], next: 'c6' })
    const opened = useCommentGroup()
    useCommentCursor().go('g2')
    useCommentCursor().go('g1')
    await nextTick()
    const before = line.of('comments.group').length
    vi.advanceTimersByTime(200)
    await settle()
    expect(line.of('comments.group').slice(before)).toEqual([{ id: 'g1', limit: 100 }])
    expect(opened.sorted.map((each) => each.id)).toEqual(['c1', 'c6', 'c5'])
  })
})

describe('promotions', () => {
  it('are proposed by a moderator and put to the session by the chair', async () => {
    await open()
    const promotions = usePromotions()
    line.answers['comment.promote'] = () => ({ state: 'proposed', promotion: card('p1') })
    await useCommentActs().promote()
    expect(line.of('comment.promote')).toEqual([{ id: 'c1' }])
    expect(promotions.proposed.length).toBe(1)
    await useCommentActs().promote()
    expect(line.of('comment.promote').length).toBe(1)
    line.answers['comment.promote'] = () => ({ state: 'current', promotion: card('p1', { phase: 'current' }) })
    await promotions.promote('c1')
    expect([promotions.proposed.length, promotions.current?.id]).toEqual([0, 'p1'])
    line.answers['promotion.end'] = () => ({ state: 'ended', promotion: card('p1', { phase: 'ended' }) })
    await promotions.end(card('p1', { phase: 'current' }))
    expect(promotions.current).toBeNull()
  })

  it('can be proposed again after a moderator took one back, but not by the press of a chair', async () => {
    await open()
    line.answers['promotion.decline'] = () => ({ state: 'withdrawn', promotion: card('p1', { phase: 'withdrawn' }) })
    await usePromotions().decline(card('p1'))
    expect(useNotices().toasts.at(-1)?.action).toBeDefined()
    const told = snapshot()
    useRoom().take({ ...told, self: { ...told.self, can: ['comment.promote', 'promotion.decide'] } })
    await usePromotions().decline(card('p1'))
    expect(useNotices().toasts.at(-1)).toMatchObject({ text: '这条留言不上会了' })
    expect(useNotices().toasts.at(-1)?.action).toBeUndefined()
  })

  it('are the current item of the agenda in the room, with all of their words and who answers', () => {
    const item = agendaItem('a2', { kind: 'promotion', state: 'current', title: '能不能…', words: '能不能收现金？', nickname: '杏林', place: '柳塘', started_at_ms: 3000 })
    const floor = (grantedAt: number): NonNullable<Snapshot['floor']> => ({ mode: 'free', holder: holding('市民政局', { granted_at_ms: grantedAt }), queue: [] })
    const told = snapshot({ agenda: [agendaItem('a1', { state: 'done' }), item], floor: floor(5000) })
    useRoom().take({ ...told, consultation: { ...told.consultation, status: 'live' }, floor: floor(100) })
    expect(useRoomPromotion().shown?.answering).toBeNull()
    useRoom().take({ ...told, consultation: { ...told.consultation, status: 'live' } })
    expect(useRoomPromotion().shown).toEqual({ id: 'a2', words: '能不能收现金？', nickname: '杏林', place: '柳塘', answering: '市民政局' })
    useRoom().take({ ...told, consultation: { ...told.consultation, status: 'ended' } })
    expect(useRoomPromotion().shown).toBeNull()
  })
})

describe('in words', () => {
  it('says how long', () => {
    expect([800, 52_000, 72_000, 120_000, 840_000, 7_300_000].map((ms) => spanText(ms, t))).toEqual(['0 秒', '52 秒', '1 分 12 秒', '2 分', '14 分', '2 小时'])
  })

  it('says why the filter stopped it, once, without showing what is private', () => {
    const found = (code: string, what = ''): { code: string; what: string; start: number; end: number; field: string } => ({ code, what, start: 0, end: 1, field: 'text' })
    expect(reasonTexts([found('contact_phone', '13912345678'), found('contact_wechat', 'abc'), found('word_insult', '笨蛋'), found('unheard_of')], words)).toEqual(['含联系方式', '不文明用语“笨蛋”', '系统提示'])
  })

  it('marks what was found by characters, also behind signs of two units', () => {
    const parts = markedText({ text: '𠀀电话139', reasons: [{ code: 'contact_phone', what: '139', start: 3, end: 6, field: 'text' }] })
    expect(parts).toEqual([
      { text: '𠀀电话', found: false },
      { text: '139', found: true },
    ])
  })

  it('names who wrote it', () => {
    expect(authorText({ nickname: '', region: '石桥村' }, t)).toBe('匿名网友 · 石桥村')
  })
})
