/** The transcript on the desk: all segments in their order, kept up to date by what the server says, and what of them is known in full. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, triggerRef, watch } from 'vue'
import { transcripts, type Segment, type SegmentPage, type TranscriptChanged, type WholeSegment } from '@/api/transcript'
import { useActs } from './acts'
import { useLine } from './line'
import { useSession } from './session'

/** asked for at a time: what scrolls past is not worth more */
const AT_ONCE = 4

const inOrder = (one: Segment, two: Segment): number => one.start_ms - two.start_ms || (one.id < two.id ? -1 : 1)

export const useTranscript = defineStore('transcript', () => {
  const acts = useActs()
  const line = useLine()
  const session = useSession()
  const segments = shallowRef<readonly Segment[]>([])
  const loaded = ref(false)
  const loading = ref(false)
  const failed = ref(false)
  /** with words and raw text, by id; of the revision that is shown, or they count for nothing */
  const whole = shallowRef(new Map<string, WholeSegment>())
  const listeners = new Set<(changed: readonly Segment[], removed: readonly string[], by: string) => void>()
  const wanted: string[] = []
  let asking = 0
  let turn = 0
  /** what came while the list was on its way: it may be older than these */
  let meanwhile: TranscriptChanged[] | null = null

  const places = computed(() => new Map(segments.value.map((each, at) => [each.id, at])))
  const byId = (id: string | null): Segment | null => segments.value[places.value.get(id ?? '') ?? -1] ?? null
  const at = (place: number): Segment | null => segments.value[place] ?? null
  const placeOf = (id: string): number => places.value.get(id) ?? -1

  async function load(): Promise<void> {
    const now = (turn += 1)
    loading.value = true
    meanwhile = []
    const found: Segment[] = []
    let after: string | null = null
    do {
      const from: string | null = after
      const got: { value: SegmentPage } | null = await acts.run((http) => transcripts(http, session.cid).page(from), { quiet: true })
      if (now !== turn) return
      if (!got) {
        loading.value = false
        failed.value = true
        meanwhile = null
        return
      }
      found.push(...got.value.items)
      after = got.value.next
    } while (after !== null)
    const late: TranscriptChanged[] = meanwhile ?? []
    meanwhile = null
    const before = new Map(segments.value.map((each) => [each.id, each.revision]))
    const there = new Set(found.map((each) => each.id))
    const removed = segments.value.filter((each) => !there.has(each.id)).map((each) => each.id)
    segments.value = found.sort(inOrder)
    loading.value = failed.value = false
    loaded.value = true
    tell(
      found.filter((each) => before.has(each.id) && before.get(each.id) !== each.revision),
      removed,
      '',
    )
    for (const each of late) apply(each)
  }

  /** What somebody changed, at this desk or another. */
  function apply(changed: TranscriptChanged): void {
    if (meanwhile) meanwhile.push(changed)
    if (loaded.value) put(changed.segments, changed.removed, changed.by)
  }

  /** An older revision than what is here is no news. */
  function put(changed: readonly Segment[], removed: readonly string[] = [], by = ''): void {
    const fresh = changed.filter((each) => (byId(each.id)?.revision ?? 0) < each.revision)
    const gone = removed.filter((id) => places.value.has(id))
    if (fresh.length === 0 && gone.length === 0) return
    const next = new Map(segments.value.map((each) => [each.id, each]))
    for (const id of gone) next.delete(id)
    for (const each of fresh) next.set(each.id, brief(each))
    segments.value = [...next.values()].sort(inOrder)
    for (const each of fresh) if (isWhole(each)) whole.value.set(each.id, each)
    triggerRef(whole)
    tell(fresh, gone, by)
  }

  function tell(changed: readonly Segment[], removed: readonly string[], by: string): void {
    if (changed.length || removed.length) for (const each of listeners) each(changed, removed, by)
  }

  /** Called with every change, after it stands in the list. */
  function listen(listener: (changed: readonly Segment[], removed: readonly string[], by: string) => void): void {
    listeners.add(listener)
  }

  /** Its words and raw text, when they are here; asked for where they are not. */
  function inFull(id: string): WholeSegment | null {
    const shown = byId(id)
    const known = whole.value.get(id)
    if (known && shown && known.revision === shown.revision) return known
    if (shown && !wanted.includes(id)) {
      // What was wanted last is in sight now.
      wanted.unshift(id)
      wanted.splice(40)
      void Promise.resolve().then(fetchWanted)
    }
    return null
  }

  async function fetchWanted(): Promise<void> {
    while (asking < AT_ONCE && wanted.length) {
      const id = wanted.shift() as string
      asking += 1
      void fetchOne(id).finally(() => {
        asking -= 1
        void fetchWanted()
      })
    }
  }

  async function fetchOne(id: string): Promise<WholeSegment | null> {
    const got = await acts.run((http) => transcripts(http, session.cid).one(id), { quiet: true })
    if (!got) return null
    whole.value.set(id, got.value)
    triggerRef(whole)
    put([got.value])
    return got.value
  }

  // While the line was down events were missed.
  watch(
    () => line.up,
    (up) => {
      if (up && loaded.value) void load()
    },
  )

  return { segments, loaded, loading, failed, byId, at, placeOf, load, apply, put, listen, inFull, fetchOne }
})

/** Thousands of them are kept: words and raw text have a place of their own. */
function brief(segment: Segment): Segment {
  const kept: Segment = { ...segment }
  delete kept.raw
  delete kept.words
  return kept
}

const isWhole = (segment: Segment): segment is WholeSegment => typeof segment.raw === 'string' && Array.isArray(segment.words)
