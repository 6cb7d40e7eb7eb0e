/** 会议记录 and 会议纪要: making, writing, checking, approving. A section that somebody else changed is shown, not overwritten. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { ProblemError, type Kept } from '@/api/http'
import { FIELDS, minutes, type BlockerCode, type Minutes, type MinutesApi, type MinutesDoc, type MinutesKind, type Passage, type Reasons } from '@/api/minutes'
import { i18n } from '@/i18n'
import { useActs } from './acts'
import { useNotices } from './notices'
import { useRoom } from './room'
import { useSession } from './session'

/** hours of speech may stand in them */
const LOOK_MS = 20_000
const MOST_WORDS = 300

export interface SectionConflict {
  key: string
  mine: string
  theirs: string
}

export const useMinutes = defineStore('minutes', () => {
  const { t } = i18n.global
  const acts = useActs()
  const notices = useNotices()
  const room = useRoom()
  const session = useSession()
  const all = shallowRef<Minutes | null>(null)
  const failed = ref(false)
  const busy = ref(false)
  const kind = ref<MinutesKind>('summary')
  /** the section whose passages are looked for, and them */
  const section = ref<string | null>(null)
  const passages = shallowRef<readonly Passage[] | null>(null)
  const conflict = shallowRef<SectionConflict | null>(null)
  /** what is to be put into the section that is sought for; a new value each time */
  const inserted = shallowRef<{ text: string } | null>(null)
  let kept: Kept<Minutes> | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let followed = false
  let asked = 0

  const mayEdit = computed(() => room.can('minutes.edit'))
  const mayApprove = computed(() => room.can('minutes.approve'))
  const doc = computed<MinutesDoc | null>(() => all.value?.[kind.value] ?? null)
  /** what is to be looked at in the document that is shown */
  const blockers = computed(() => (all.value?.blockers ?? []).filter((each) => each.kind === null || each.kind === kind.value))
  const count = (code: BlockerCode): number => blockers.value.find((each) => each.code === code)?.count ?? 0
  const gaps = computed(() => count('gaps'))
  const outdated = computed(() => count('outdated'))
  const confidential = computed(() => count('confidential'))
  /** why the last step was refused */
  const refused = ref('')

  const api = (http: Parameters<typeof minutes>[0]): MinutesApi => minutes(http, session.cid)

  async function load(): Promise<void> {
    clearTimeout(timer)
    const before = kept
    const got = await acts.run((http) => api(http).all(before), { quiet: true })
    if (got) {
      kept = got.value
      // An equal answer draws nothing anew: somebody may be writing.
      if (JSON.stringify(kept.body) !== JSON.stringify(all.value)) all.value = kept.body
      failed.value = false
    } else failed.value = all.value === null
    clearTimeout(timer)
    if (followed) timer = setTimeout(() => void load(), LOOK_MS)
  }

  function start(): void {
    followed = true
    void load()
  }

  function stop(): void {
    followed = false
    clearTimeout(timer)
  }

  function take(made: MinutesDoc): void {
    if (all.value) all.value = { ...all.value, [made.kind]: made }
    kept = null
  }

  async function run(act: (all: MinutesApi) => Promise<MinutesDoc>): Promise<MinutesDoc | null> {
    if (busy.value) return null
    busy.value = true
    refused.value = ''
    let done: MinutesDoc | null = null
    try {
      done = await acts.ask((http) => act(api(http)))
    } catch (error) {
      refused.value = error instanceof ProblemError ? error.code : 'unknown'
      notices.show(acts.sentence(error))
    }
    busy.value = false
    if (done) take(done)
    await load()
    return done
  }

  /** Of agenda, attendance, floor, transcript, statements and promotions; `revision`: of the draft that it takes the place of. */
  const make = (revision?: number): Promise<MinutesDoc | null> => run((one) => one.make(kind.value, revision))
  const review = (reasons?: Reasons): Promise<MinutesDoc | null> => onDoc((one, { id, revision }) => one.review(id, revision, reasons))
  const approve = (reasons?: Reasons): Promise<MinutesDoc | null> => onDoc((one, { id, revision }) => one.approve(id, revision, reasons))
  const reopen = (): Promise<MinutesDoc | null> => onDoc((one, { id, revision }) => one.reopen(id, revision))

  async function onDoc(act: (one: MinutesApi, shown: MinutesDoc) => Promise<MinutesDoc>): Promise<MinutesDoc | null> {
    const shown = doc.value
    return shown && run((one) => act(one, shown))
  }

  /** `before` is the text that one began from. Other sections may have changed meanwhile, this one may not. */
  async function write(key: string, text: string, before: string): Promise<boolean> {
    const id = doc.value?.id
    for (let turn = 0; turn < 3; turn += 1) {
      const now = doc.value
      if (!now || now.id !== id) return false
      const theirs = now.sections.find((each) => each.key === key)?.text ?? ''
      if (theirs !== before && theirs !== text) {
        conflict.value = { key, mine: text, theirs }
        return false
      }
      if (theirs === text) return true
      const done = await put(now, key, text)
      if (done !== null) return done
    }
    notices.show(t('minutes.said.changed'))
    return false
  }

  /** Into a section as it stands now, whoever changed it meanwhile. */
  async function rewrite(key: string, change: (present: string) => string): Promise<boolean> {
    const id = doc.value?.id
    for (let turn = 0; turn < 3; turn += 1) {
      const now = doc.value?.id === id ? doc.value : null
      const present = now?.sections.find((each) => each.key === key)
      if (!now || !present) return false
      const text = change(present.text)
      if (text === present.text) return true
      const done = await put(now, key, text)
      if (done !== null) return done
    }
    notices.show(t('minutes.said.changed'))
    return false
  }

  /** null: somebody was faster, and what they wrote is here now */
  async function put(now: MinutesDoc, key: string, text: string): Promise<boolean | null> {
    try {
      take(await acts.ask((http) => api(http).edit(now.id, now.revision, [{ key, text }])))
      return true
    } catch (error) {
      if (error instanceof ProblemError && error.code === 'edit_conflict') {
        await load()
        return null
      }
      notices.show(acts.sentence(error))
      return false
    }
  }

  async function seek(key: string | null): Promise<void> {
    section.value = key
    const turn = (asked += 1)
    passages.value = null
    const sought = doc.value?.sections.find((each) => each.key === key)
    if (!key || !sought) return
    const of = kind.value
    // What stands there already says what is looked for; a bare heading is a cue of its own.
    const words = FIELDS.has(key) || sought.source !== null ? '' : sought.text.slice(0, MOST_WORDS)
    const got = await acts.run((http) => api(http).passages(key, of, words), { quiet: true })
    if (turn === asked) passages.value = got?.value.items ?? []
  }

  const insert = (text: string): void => void (inserted.value = { text })

  return { inserted, insert, all, failed, busy, kind, section, passages, conflict, mayEdit, mayApprove, doc, blockers, gaps, outdated, confidential, refused, load, start, stop, make, review, approve, reopen, write, rewrite, seek }
})
