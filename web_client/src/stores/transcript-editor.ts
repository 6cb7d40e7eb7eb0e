/**
 * The one segment that is being worked on: its draft, saving it, and what to do when somebody else was faster.
 * Nothing of others is ever overwritten: a draft that began from an older revision becomes a conflict that shows both texts.
 */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { ProblemError } from '@/api/http'
import { pointPlace } from '@/api/code-points'
import { transcripts, type Segment, type SegmentEdit, type SpeakerChoice, type TranscriptApi } from '@/api/transcript'
import { i18n } from '@/i18n'
import { useActs } from './acts'
import { useNotices } from './notices'
import { useRoom } from './room'
import { useSession } from './session'
import { useTranscript } from './transcript'

const UNDO_STEPS = 20

/** One step back: what was done to which segment, and the revision before it. */
interface Step {
  id: string
  made: number
  to: number
}

export interface Conflict {
  theirs: Segment
  /** who was faster; empty when the server only said that somebody was */
  by: string
}

export const useTranscriptEditor = defineStore('transcript-editor', () => {
  const { t } = i18n.global
  const acts = useActs()
  const notices = useNotices()
  const room = useRoom()
  const session = useSession()
  const transcript = useTranscript()

  /** the row that one is at */
  const currentId = ref<string | null>(null)
  /** its text is a field now */
  const editing = ref(false)
  const draft = ref('')
  /** what the draft began from */
  const base = shallowRef<Segment | null>(null)
  const conflict = shallowRef<Conflict | null>(null)
  const saving = ref(false)
  /** the server could not be reached: the draft waits */
  const unsent = ref(false)
  const savedOnce = ref(false)
  /** where the caret is to be put when the field opens or changes */
  const caret = ref<{ at: number; turn: number }>({ at: 0, turn: 0 })
  const steps: Step[] = []
  const undoable = ref(0)
  let late: { segment: Segment; by: string } | null = null
  /** the one that is being joined by oneself: that it goes is no news */
  let joining: string | null = null
  let queue: Promise<unknown> = Promise.resolve()

  const mayEdit = computed(() => room.can('transcript.edit'))
  const mayHide = computed(() => room.can('transcript.confidential'))
  const current = computed(() => transcript.byId(currentId.value))
  const dirty = computed(() => editing.value && base.value !== null && tidy(draft.value) !== base.value.text)
  /** a segment is never empty: it is joined or marked */
  const empty = computed(() => editing.value && tidy(draft.value) === '')

  const api = (http: Parameters<typeof transcripts>[0]): TranscriptApi => transcripts(http, session.cid)

  /** One act after another: what is typed is saved before it is split or joined. */
  function inTurn<T>(act: () => Promise<T>): Promise<T> {
    const next = queue.then(act, act)
    queue = next.catch(() => undefined)
    return next
  }

  /** Go to a row; what was typed in the one before is saved. Stays where a conflict has to be settled first. */
  async function choose(id: string | null, options: { edit?: boolean; at?: number } = {}): Promise<boolean> {
    if (currentId.value !== id) {
      if (!(await leave())) return false
      currentId.value = id
    }
    const segment = transcript.byId(id)
    if (options.edit && segment && mayEdit.value && !editing.value) open(segment)
    if (options.at !== undefined) putCaret(options.at)
    return true
  }

  function open(segment: Segment): void {
    base.value = segment
    draft.value = segment.text
    conflict.value = null
    late = null
    unsent.value = false
    editing.value = true
  }

  function putCaret(at: number): void {
    caret.value = { at, turn: caret.value.turn + 1 }
  }

  /** Saves and closes the field; false while it cannot be left. */
  async function leave(): Promise<boolean> {
    if (!editing.value) return true
    if (empty.value) draft.value = base.value?.text ?? ''
    if (conflict.value || !(await save())) {
      if (conflict.value) notices.show(t('minutes.conflict.first'))
      return false
    }
    close()
    return true
  }

  function close(): void {
    editing.value = false
    base.value = null
    conflict.value = null
    late = null
    unsent.value = false
  }

  /** Throws the draft away. */
  function cancel(): void {
    if (base.value) draft.value = base.value.text
    close()
  }

  const save = (): Promise<boolean> => inTurn(saveNow)

  async function saveNow(): Promise<boolean> {
    const from = base.value
    const text = tidy(draft.value)
    if (!editing.value || !from || text === from.text) return true
    if (conflict.value || text === '') return false
    saving.value = true
    try {
      const saved = await acts.ask((http) => api(http).edit(from.id, from.revision, { text }))
      unsent.value = false
      savedOnce.value = true
      kept(saved, from.revision)
      // What was typed while it was on its way is a draft on top of it.
      if (base.value?.id === saved.id) {
        if (tidy(draft.value) === text) draft.value = saved.text
        base.value = saved
      }
      transcript.put([saved])
      return true
    } catch (error) {
      if (!clashes(error, from.id)) {
        unsent.value = true
        notices.show(acts.sentence(error))
      }
      return false
    } finally {
      saving.value = false
      const missed = late
      late = null
      if (missed) changedByOthers(missed.segment, missed.by)
    }
  }

  /** Whether the server refused because somebody was faster; then both texts are shown. */
  function clashes(error: unknown, id: string): boolean {
    if (!(error instanceof ProblemError) || error.code !== 'edit_conflict') return false
    const theirs = error.more.segment as Segment | undefined
    if (!theirs || theirs.id !== id) {
      void transcript.fetchOne(id)
      return false
    }
    transcript.put([theirs])
    if (editing.value && base.value?.id === id) {
      if (tidy(draft.value) === theirs.text) {
        base.value = theirs
        conflict.value = null
      } else if (theirs.text === base.value.text) {
        // Somebody changed the speaker or a mark: the texts do not stand against each other.
        base.value = theirs
        void save()
      } else conflict.value = { theirs, by: conflict.value?.theirs.revision === theirs.revision ? conflict.value.by : '' }
    }
    return true
  }

  function changedByOthers(segment: Segment, by: string): void {
    const from = base.value
    if (!editing.value || !from || from.id !== segment.id || segment.revision <= from.revision) return
    if (saving.value) {
      late = { segment, by }
      return
    }
    if (!dirty.value) {
      base.value = segment
      draft.value = segment.text
      conflict.value = null
    } else if (segment.text === from.text || tidy(draft.value) === segment.text) base.value = segment
    else conflict.value = { theirs: segment, by }
  }

  transcript.listen((changed, removed, by) => {
    for (const each of changed) changedByOthers(each, by)
    if (currentId.value !== null && currentId.value !== joining && removed.includes(currentId.value)) {
      if (dirty.value) notices.show(t('minutes.conflict.gone'), { detail: draft.value, forMs: 60_000 })
      close()
      currentId.value = null
    }
  })

  // ── settling a conflict ─────────────────────────────────────────────────────────────────────────

  function takeTheirs(): void {
    const settled = conflict.value?.theirs
    if (!settled) return
    base.value = settled
    draft.value = settled.text
    conflict.value = null
    putCaret(settled.text.length)
  }

  /** One's own text on top of theirs, which stays among the revisions. */
  async function keepMine(): Promise<boolean> {
    const settled = conflict.value?.theirs
    if (!settled) return false
    base.value = settled
    conflict.value = null
    return save()
  }

  // ── other acts on the current segment ───────────────────────────────────────────────────────────

  /** An act on one segment that gives what it became; null after a refusal, which was said. */
  function act(id: string, run: (all: TranscriptApi, revision: number) => Promise<Segment>): Promise<Segment | null> {
    return inTurn(async () => {
      const before = transcript.byId(id)
      if (!before || (editing.value && base.value?.id === id && !(await saveNow()))) return null
      const now = transcript.byId(id)
      if (!now) return null
      try {
        const made = await acts.ask((http) => run(api(http), now.revision))
        kept(made, now.revision)
        rebase(made)
        return made
      } catch (error) {
        if (error instanceof ProblemError && error.code === 'edit_conflict') {
          clashes(error, id)
          notices.show(t('minutes.said.changed'))
        } else notices.show(acts.sentence(error))
        return null
      }
    })
  }

  /** One's own change: the field goes on from it. */
  function rebase(made: Segment): void {
    if (editing.value && base.value?.id === made.id) {
      const same = tidy(draft.value) === base.value.text
      base.value = made
      if (same) draft.value = made.text
    }
    transcript.put([made])
  }

  function kept(made: Segment, before: number): void {
    if (made.revision <= before) return
    steps.push({ id: made.id, made: made.revision, to: before })
    if (steps.length > UNDO_STEPS) steps.shift()
    undoable.value = steps.length
  }

  const change = (id: string, edit: SegmentEdit): Promise<Segment | null> => act(id, (all, revision) => all.edit(id, revision, edit))
  const setSpeaker = (id: string, speaker: SpeakerChoice): Promise<Segment | null> => change(id, { speaker })
  const setUnclear = (id: string, is_unclear: boolean): Promise<Segment | null> => change(id, { is_unclear })
  const setConfidential = (id: string, is_confidential: boolean): Promise<Segment | null> => change(id, { is_confidential })
  const settleProposal = (id: string, accept: boolean): Promise<Segment | null> => act(id, (all, revision) => all.proposal(id, revision, accept))
  const restore = (id: string, to: number): Promise<Segment | null> => act(id, (all, revision) => all.restore(id, revision, to))

  /** In two at a character; the caret stands at the beginning of the second then. */
  function split(at: number): Promise<boolean> {
    const id = currentId.value
    return inTurn(async () => {
      if (!id || !(await saveNow())) return false
      const now = transcript.byId(id)
      // The draft was tidied when it was saved: the caret may stand a blank further.
      if (!now || at <= 0 || at >= now.text.length) {
        notices.show(t('minutes.said.splitWhere'))
        return false
      }
      try {
        const { items } = await acts.ask((http) => api(http).split(id, now.revision, pointPlace(now.text, at)))
        close()
        transcript.put(items)
        currentId.value = items[1].id
        open(items[1])
        putCaret(0)
        return true
      } catch (error) {
        if (!clashes(error, id)) notices.show(acts.sentence(error))
        return false
      }
    })
  }

  /** The current one with the one above it, which has to be of the same speaker. */
  function joinAbove(): Promise<boolean> {
    const id = currentId.value
    return inTurn(async () => {
      if (!id || !(await saveNow())) return false
      const second = transcript.byId(id)
      const first = second && above(second)
      if (!second || !first) {
        notices.show(t('minutes.said.joinNone'))
        return false
      }
      joining = second.id
      try {
        const joined = await acts.ask((http) => api(http).join(first.id, first.revision, second.revision))
        const wasOpen = editing.value
        close()
        transcript.put([joined], [second.id])
        currentId.value = joined.id
        if (wasOpen) {
          open(joined)
          putCaret(first.text.length)
        }
        return true
      } catch (error) {
        if (error instanceof ProblemError && error.code === 'edit_conflict') {
          const theirs = error.more.segment as Segment | undefined
          if (theirs) transcript.put([theirs])
          notices.show(t('minutes.said.changed'))
        } else notices.show(acts.sentence(error))
        return false
      } finally {
        joining = null
      }
    })
  }

  /** The last one before it of the same track: somebody else may have spoken in between. */
  function above(second: Segment): Segment | null {
    for (let place = transcript.placeOf(second.id) - 1; place >= 0; place -= 1) {
      const each = transcript.at(place)
      if (each?.participant_id === second.participant_id) return each.speaker.name === second.speaker.name ? each : null
    }
    return null
  }

  /** One's own last saved change, as long as nobody changed that segment since. */
  async function undo(): Promise<void> {
    const step = steps.pop()
    undoable.value = steps.length
    if (!step) return
    const now = transcript.byId(step.id)
    if (!now || now.revision !== step.made) {
      notices.show(t('minutes.said.undoLate'))
      return
    }
    if (!(await choose(step.id))) return
    const back = await restore(step.id, step.to)
    // What was taken back is not a step of its own.
    if (back && steps.at(-1)?.made === back.revision) steps.pop()
    undoable.value = steps.length
    if (back) notices.show(t('minutes.said.undone'))
  }

  /** The row after or before; `edit` keeps the field open. */
  async function step(by: 1 | -1): Promise<string | null> {
    const place = currentId.value === null ? (by === 1 ? -1 : transcript.segments.length) : transcript.placeOf(currentId.value)
    const next = transcript.at(place + by)
    if (!next) {
      await leave()
      return null
    }
    const wasOpen = editing.value
    return (await choose(next.id, wasOpen ? { edit: true, at: 0 } : {})) ? next.id : null
  }

  return {
    currentId,
    current,
    editing,
    draft,
    base,
    conflict,
    saving,
    unsent,
    savedOnce,
    caret,
    undoable,
    mayEdit,
    mayHide,
    dirty,
    empty,
    choose,
    leave,
    cancel,
    save,
    takeTheirs,
    keepMine,
    setSpeaker,
    setUnclear,
    setConfidential,
    settleProposal,
    restore,
    split,
    joinAbove,
    undo,
    step,
    putCaret,
  }
})

/** As the server keeps it: blanks made one, none at the ends. */
export const tidy = (text: string): string => text.split(/\s+/).filter(Boolean).join(' ')
