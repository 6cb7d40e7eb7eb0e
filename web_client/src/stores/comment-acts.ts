/** What moderators do with comments: decide, undo, claim, merge, split, choose who stands for a group, hand over. */
import { defineStore } from 'pinia'
import { computed, ref, shallowReactive, shallowRef } from 'vue'
import type { CommentGroup, CommentState, CommentTarget, CommentTopic, Decided } from '@/api/moderation'
import { openResponse } from '@/api/moderation'
import { i18n } from '@/i18n'
import { useActs } from './acts'
import { useCommentCursor } from './comment-cursor'
import { useCommentGroup } from './comment-group'
import { inState, useComments, waitingIn } from './comments'
import { useLine } from './line'
import { useNotices } from './notices'
import { usePromotions } from './promotions'
import { useRoom } from './room'
import { useSession } from './session'

export type Verdict = 'approve' | 'reject' | 'hold' | 'hide'
const STEPS = 10
/** as many as one request names */
const AT_ONCE = 200

/** What may become of comments in a state. */
export const VERDICTS: Record<CommentState, readonly Verdict[]> = {
  pending: ['approve', 'reject', 'hold'],
  held: ['approve', 'reject'],
  approved: ['hide'],
  rejected: ['approve', 'hold'],
  hidden: ['approve'],
  promoted: ['hide'],
  answered: ['hide'],
  withdrawn: [],
}

function inParts<T>(all: readonly T[], most = AT_ONCE): T[][] {
  return Array.from({ length: Math.ceil(all.length / most) }, (_, at) => all.slice(at * most, (at + 1) * most))
}

interface Step {
  said: string
  /** what says so and offers the way back */
  toast?: number
  undo: () => Promise<Decided | null>
}

export const useCommentActs = defineStore('comment-acts', () => {
  const { t } = i18n.global
  const acts = useActs()
  const comments = useComments()
  const cursor = useCommentCursor()
  const line = useLine()
  const notices = useNotices()
  const open = useCommentGroup()
  const promotions = usePromotions()
  const room = useRoom()
  const session = useSession()
  const steps = shallowRef<readonly Step[]>([])
  /** groups with a request on its way */
  const busy = shallowReactive(new Set<string>())
  const referring = ref(false)

  const mine = computed(() => room.state?.self.name ?? '')
  const takenBy = (group: CommentGroup): string | null => (group.claimed_by !== null && group.claimed_by !== mine.value ? group.claimed_by : null)
  const verdicts = computed<readonly Verdict[]>(() => VERDICTS[comments.states[0] ?? 'pending'])

  function remember(said: string, undo: () => Promise<Decided | null>): void {
    const step: Step = { said, undo }
    steps.value = [...steps.value, step].slice(-STEPS)
    step.toast = notices.show(said, { action: { label: t('common.undo'), run: () => void takeBack(step) } })
  }

  async function takeBack(step = steps.value.at(-1)): Promise<void> {
    if (!step || !steps.value.includes(step)) {
      notices.show(t('comments.said.nothingToUndo'))
      return
    }
    steps.value = steps.value.filter((each) => each !== step)
    if (step.toast !== undefined) notices.dismiss(step.toast)
    const answer = await step.undo()
    if (!answer) return
    comments.keep(answer.groups)
    const back = answer.groups.find((each) => comments.rows.includes(each.id))
    if (back) cursor.go(back.id)
    notices.show(t('comments.said.undone', { what: step.said }))
  }

  /** The groups of these ids as far as they are free; of the others it is said who has them. */
  function free(ids: readonly string[]): CommentGroup[] {
    const all = ids.map((id) => comments.groups.get(id)).filter((each) => each !== undefined && !busy.has(each.id)) as CommentGroup[]
    const taken = all.find((each) => takenBy(each) !== null)
    if (taken) notices.show(t('comments.said.taken_by', { name: takenBy(taken) ?? '' }))
    return all.filter((each) => takenBy(each) === null && comments.fits(each))
  }

  /**
   * What of these groups was shown. What waits is counted, so that nothing is decided that came meanwhile; held,
   * rejected and hidden ones are named one by one, as each was held or rejected for a reason of its own.
   */
  function targets(verdict: Verdict, groups: readonly CommentGroup[]): CommentTarget[] {
    const found: CommentTarget[] = []
    const counted = verdict === 'hide' ? ['approved'] : ['pending']
    if (comments.states.length === 1 && counted.includes(comments.states[0] ?? '')) {
      for (const part of inParts(groups)) {
        const waiting = part.reduce((sum, each) => sum + (verdict === 'hide' ? inState(each, ['approved']) : waitingIn(each)), 0)
        found.push({ groups: part.map((each) => each.id), waiting, ...upTo() })
      }
      return found
    }
    const ids = groups.flatMap((each) => namedIn(each))
    for (const part of inParts(ids)) found.push({ ids: part })
    return found
  }

  const upTo = (last = comments.counts?.last_number): { up_to?: number } => (last === undefined ? {} : { up_to: last })

  /** Ids of the comments of this queue in a group, as far as they can be seen. */
  function namedIn(group: CommentGroup): string[] {
    const chief = group.representative
    // What stands for the group is of another queue: these have not been read on the row.
    if (!(comments.states as readonly string[]).includes(chief.state)) return []
    if (open.of === group.id && open.inQueue.length) return open.inQueue.map((each) => each.id)
    return inState(group, comments.states) === 1 ? [chief.id] : []
  }

  async function ask(verdict: Verdict, target: CommentTarget, reason?: string): Promise<Decided | null> {
    const more = reason && (verdict === 'reject' || verdict === 'hide') ? { reason } : {}
    const answer = await line.ask(`comment.${verdict}`, { ...target, ...more })
    if (answer) comments.keep(answer.groups)
    return answer
  }

  async function decide(verdict: Verdict, reason?: string, ids: readonly string[] = cursor.chosen): Promise<boolean> {
    if (!verdicts.value.includes(verdict)) return false
    const groups = free(ids)
    const wanted = targets(verdict, groups)
    if (wanted.length === 0) {
      if (groups.length) notices.show(t('comments.said.oneByOne'))
      return false
    }
    const gone = groups.map((each) => each.id)
    cursor.mode = null
    cursor.pass(gone)
    cursor.clear()
    for (const id of gone) busy.add(id)
    const answers = []
    for (const target of wanted) answers.push(await ask(verdict, target, reason))
    for (const id of gone) busy.delete(id)
    return said(verdict, answers)
  }

  /** Some of the comments of the open group, by themselves. After a refusal they stay marked. */
  async function decideSome(verdict: Verdict, ids: readonly string[], reason?: string): Promise<boolean> {
    const answers = []
    for (const part of inParts(ids)) {
      const answer = await ask(verdict, { ids: part }, reason)
      answers.push(answer)
      if (!answer) break
      for (const id of part) open.marked.delete(id)
    }
    void open.load()
    return said(verdict, answers)
  }

  /** Everything that waits in a topic, as many as were said to. */
  async function decideTopic(verdict: Verdict, topic: CommentTopic, last: number, reason?: string): Promise<boolean> {
    const answer = await ask(verdict, { topic: topic.id, waiting: topic.waiting, ...upTo(last) }, reason)
    if (answer) void comments.load(true)
    return said(verdict, [answer])
  }

  function said(verdict: Verdict, answers: readonly (Decided | null)[]): boolean {
    const done = answers.filter((each) => each !== null)
    const changed = done.reduce((sum, each) => sum + each.changed, 0)
    if (done.length === 0) return false
    const names = done.map((each) => each.undo).filter((each) => typeof each === 'string')
    const words = t(`comments.done.${verdict}`, { n: changed })
    if (names.length === 0) notices.show(words)
    else remember(words, () => undoAll(names))
    return true
  }

  async function undoAll(names: readonly string[]): Promise<Decided | null> {
    const all: Decided = { changed: 0, groups: [] }
    for (const id of [...names].reverse()) {
      const answer = await line.ask('comment.undo', { id })
      if (!answer) return all.changed ? all : null
      all.changed += answer.changed
      all.groups.push(...answer.groups)
    }
    return all
  }

  // ── claims and groups ───────────────────────────────────────────────────────────────────────

  async function claim(id = cursor.at, takeOver = false): Promise<boolean> {
    const group = comments.groups.get(id ?? '')
    if (!group) return false
    const answer = await line.ask('comment.claim', { id: group.representative.id, ...(takeOver ? { take_over: true } : {}) })
    if (answer) comments.keep([answer.group])
    return answer !== null
  }

  async function release(id = cursor.at): Promise<void> {
    const group = comments.groups.get(id ?? '')
    if (!group || group.claimed_by !== mine.value) return
    const answer = await line.ask('comment.release', { id: group.representative.id })
    if (answer) comments.keep([answer.group])
  }

  async function represent(commentId: string): Promise<void> {
    const before = cursor.group?.representative.id
    const answer = await line.ask('comment.represent', { id: commentId })
    if (!answer) return
    comments.keep([answer.group])
    remember(t('comments.done.represent'), async () => {
      const back = before === undefined ? null : await line.ask('comment.represent', { id: before })
      return back && { changed: 1, groups: [back.group] }
    })
  }

  /** First which groups, then into which one. With several marked the largest of them takes the others in. */
  function beginMerge(): void {
    const [first, ...others] = free(cursor.chosen)
    if (!first) return
    const ids = [first, ...others].map((each) => each.id)
    if (others.length > 0) {
      const largest = others.reduce((most, each) => (each.authors > most.authors ? each : most), first)
      void merge(ids, largest.id)
    } else {
      cursor.merging = ids
      cursor.mode = 'merge'
    }
  }

  async function merge(ids: readonly string[], into: string): Promise<void> {
    cursor.mode = null
    const [target, ...sources] = free([into, ...ids.filter((id) => id !== into)])
    if (!target || target.id !== into || sources.length === 0) return
    const all = [target, ...sources]
    for (const each of all) busy.add(each.id)
    const moved: string[] = []
    let changed = 0
    let done = 0
    // One request names only so many: each part goes into the same group.
    for (const part of inParts(sources, AT_ONCE - 1)) {
      const answer = await line.ask('comment.merge', { ids: [target, ...part].map((each) => each.representative.id) })
      if (!answer) break
      comments.keep(answer.groups)
      comments.drop(part.map((each) => each.id))
      moved.push(...(answer.ids ?? []))
      changed += answer.changed
      done += part.length
    }
    if (done > 0) await keepChief(target)
    for (const each of all) busy.delete(each.id)
    if (done === 0) return
    if (done === sources.length) cursor.clear()
    cursor.go(into)
    const words = t('comments.done.merge', { n: changed })
    // What came from one group goes back into one; of several the moderator splits again by hand.
    if (sources.length === 1 && moved.length > 0) remember(words, () => split(moved))
    else notices.show(words)
  }

  /** What stood for the group that took others in stands for it still, though one that came earlier is in it now. */
  async function keepChief({ id, representative }: CommentGroup): Promise<void> {
    const now = comments.groups.get(id)?.representative.id
    if (now === undefined || now === representative.id) return
    const answer = await line.ask('comment.represent', { id: representative.id })
    if (answer) comments.keep([answer.group])
  }

  async function split(ids: readonly string[]): Promise<Decided | null> {
    let all: Decided | null = null
    for (const [at, part] of inParts(ids).entries()) {
      let answer = await line.ask('comment.split', { ids: part })
      if (answer && at > 0) answer = await line.ask('comment.merge', { ids: [ids[0] ?? '', part[0] ?? ''] })
      if (!answer) return all
      all = answer
    }
    return all
  }

  async function splitOff(ids: readonly string[]): Promise<void> {
    const from = open.items.find((each) => !ids.includes(each.id))
    const answer = await split(ids)
    cursor.mode = null
    if (!answer) return
    comments.keep(answer.groups)
    open.marked.clear()
    void open.load()
    const first = ids[0]
    const words = t('comments.done.split', { n: ids.length })
    if (from && first) remember(words, () => mergeBack(from.id, first, answer.groups))
    else notices.show(words)
  }

  /** What was split off goes back to where it came from, and its own row with it. */
  async function mergeBack(into: string, first: string, apart: readonly CommentGroup[]): Promise<Decided | null> {
    const answer = await line.ask('comment.merge', { ids: [into, first] })
    if (answer) comments.drop(apart.map((each) => each.id).filter((id) => !answer.groups.some((each) => each.id === id)))
    return answer
  }

  // ── to the session, and to a department ─────────────────────────────────────────────────────

  async function promote(id = cursor.at): Promise<void> {
    const [group] = free(id === null ? [] : [id])
    if (!group || promotions.groups.has(group.id)) return
    const card = await promotions.promote(group.representative.id)
    if (!card) return
    if (card.phase === 'current') notices.show(t('comments.said.taken'))
    else notices.show(t('comments.said.proposed'), { action: { label: t('common.undo'), run: () => void promotions.decline(card) } })
  }

  async function refer(id = cursor.at): Promise<void> {
    const group = comments.groups.get(id ?? '')
    if (!group || referring.value) return
    referring.value = true
    const done = await acts.run((http) => openResponse(http, session.cid, group.representative.id))
    referring.value = false
    if (done) notices.show(t('comments.said.referred', { label: done.value }))
  }

  return { steps, busy, referring, mine, verdicts, takenBy, takeBack, decide, decideSome, decideTopic, claim, release, represent, beginMerge, merge, splitOff, promote, refer }
})
