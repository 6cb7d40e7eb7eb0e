/** The second pass (录音复核) on the desk: its state, what it proposes, and taking all of that at once. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import { MOST_DECIDED, secondPasses, type SecondPass, type Seen } from '@/api/second-pass'
import { i18n } from '@/i18n'
import { useActs } from './acts'
import { useNotices } from './notices'
import { useSession } from './session'
import { useTranscript } from './transcript'
import { useTranscriptEditor } from './transcript-editor'
import { useTranscriptGaps } from './transcript-gaps'

export const useSecondPass = defineStore('second-pass', () => {
  const { t } = i18n.global
  const acts = useActs()
  const editor = useTranscriptEditor()
  const gaps = useTranscriptGaps()
  const notices = useNotices()
  const session = useSession()
  const transcript = useTranscript()

  const told = shallowRef<SecondPass | null>(null)
  const busy = ref(false)
  /** what was taken at once and can be taken back: as it was made */
  const taken = shallowRef<readonly Seen[]>([])
  let takenNotice: number | null = null

  // Looked at with the gaps; between two looks the desk is told.
  watch(
    () => gaps.state?.second_pass,
    (now) => now && apply(now),
    { immediate: true },
  )

  const working = computed(() => told.value?.state === 'running' || told.value?.state === 'waiting')
  const part = computed(() => (told.value && told.value.total > 0 ? Math.min(1, told.value.done / told.value.total) : 0))
  /** segments with a text to be taken or refused, in their order */
  const pending = computed(() => transcript.segments.filter((each) => each.proposal !== null))

  function apply(now: SecondPass): void {
    told.value = now
  }

  async function start(): Promise<void> {
    if (busy.value) return
    busy.value = true
    const done = await acts.run((http) => secondPasses(http, session.cid).begin())
    busy.value = false
    if (done) apply(done.value)
  }

  /** The next one that waits for a decision, behind this segment, and from the beginning again. */
  function next(after: string | null): string | null {
    const place = after === null ? -1 : transcript.placeOf(after)
    const behind = pending.value.find((each) => transcript.placeOf(each.id) > place)
    return (behind ?? pending.value[0])?.id ?? null
  }

  async function takeAll(): Promise<void> {
    if (busy.value || !(await editor.leave())) return
    const seen = pending.value.slice(0, MOST_DECIDED).map(({ id, revision }) => ({ id, revision }))
    if (seen.length === 0) return
    busy.value = true
    const done = await acts.run((http) => secondPasses(http, session.cid).decide(true, seen))
    busy.value = false
    if (!done) return
    transcript.put(done.value.items)
    taken.value = done.value.items.map(({ id, revision }) => ({ id, revision }))
    takenNotice = notices.show(said('secondPass.taken', done.value.items.length, done.value.conflicts.length), {
      action: { label: t('common.undo'), run: () => void takeBack() },
    })
  }

  async function takeBack(): Promise<void> {
    const made = taken.value
    if (busy.value || made.length === 0 || !(await editor.leave())) return
    busy.value = true
    const done = await acts.run((http) => secondPasses(http, session.cid).takeBack(made))
    busy.value = false
    if (!done) return
    taken.value = []
    if (takenNotice !== null) notices.dismiss(takenNotice) // it offers what has just been done
    transcript.put(done.value.items)
    notices.show(said('secondPass.takenBack', done.value.items.length, done.value.conflicts.length))
  }

  function said(key: string, n: number, left: number): string {
    return t(key, { n }) + (left ? t('secondPass.left', { n: left }) : '')
  }

  return { told, working, part, pending, busy, taken, apply, start, next, takeAll, takeBack }
})
