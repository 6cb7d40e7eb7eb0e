/** Find and replace in the transcript: what was found, where one is in it, and replacing some or all. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { unitPlaces } from '@/api/code-points'
import { searchAll, transcripts, type Found, type FoundElsewhere } from '@/api/transcript'
import { useActs } from './acts'
import { useSession } from './session'
import { useTranscript } from './transcript'
import { useTranscriptEditor } from './transcript-editor'

const TYPING_MS = 250

export interface Hit {
  id: string
  /** character index */
  at: number
}

export const useTranscriptFind = defineStore('transcript-find', () => {
  const acts = useActs()
  const editor = useTranscriptEditor()
  const session = useSession()
  const transcript = useTranscript()
  const words = ref('')
  const instead = ref('')
  const found = shallowRef<readonly Found[] | null>(null)
  const elsewhere = shallowRef<readonly FoundElsewhere[] | null>(null)
  const searching = ref(false)
  const busy = ref(false)
  const place = ref(0)
  /** segments that somebody changed in between: left as they are */
  const conflicts = ref(0)
  const replaced = ref<number | null>(null)
  let typing: ReturnType<typeof setTimeout> | undefined
  let turn = 0

  /** in the order of the text; what was deleted since is left out */
  const hits = computed<Hit[]>(() => {
    const all = (found.value ?? []).filter((each) => transcript.placeOf(each.id) >= 0).sort((one, two) => transcript.placeOf(one.id) - transcript.placeOf(two.id))
    return all.flatMap(({ id, at }) => unitPlaces(transcript.byId(id)?.text ?? '', at).map((each) => ({ id, at: each })))
  })
  const hit = computed(() => hits.value[Math.min(place.value, hits.value.length - 1)] ?? null)
  const bySegment = computed(() => {
    const places = new Map<string, number[]>()
    for (const { id, at } of hits.value) places.set(id, [...(places.get(id) ?? []), at])
    return places
  })

  async function search(): Promise<void> {
    clearTimeout(typing)
    const q = words.value
    const now = (turn += 1)
    replaced.value = null
    elsewhere.value = null
    if (!q.trim()) {
      found.value = null
      return
    }
    searching.value = true
    const got = await acts.run((http) => transcripts(http, session.cid).find(q), { quiet: true })
    if (now !== turn) return
    searching.value = false
    if (!got) return
    found.value = got.value.items
    place.value = 0
  }

  function type(text: string): void {
    words.value = text
    clearTimeout(typing)
    typing = setTimeout(() => void search(), TYPING_MS)
  }

  function step(by: 1 | -1): Hit | null {
    const count = hits.value.length
    if (count === 0) return null
    place.value = (Math.min(place.value, count - 1) + by + count) % count
    return hit.value
  }

  /** The segments of these ids, or all that were found. The revision that is shown goes with each: what changed since is left. */
  async function replace(ids?: readonly string[]): Promise<boolean> {
    if (busy.value || !words.value || !(await editor.leave())) return false
    const chosen = (found.value ?? [])
      .filter((each) => !ids || ids.includes(each.id))
      .flatMap((each) => {
        const segment = transcript.byId(each.id)
        return segment ? [{ id: segment.id, revision: segment.revision }] : []
      })
    if (chosen.length === 0) return false
    busy.value = true
    const done = await acts.run((http) => transcripts(http, session.cid).replace(words.value, instead.value, chosen))
    busy.value = false
    if (!done) return false
    transcript.put(done.value.items)
    const at = place.value
    await search()
    place.value = at
    replaced.value = done.value.items.length
    conflicts.value = done.value.conflicts.length
    return true
  }

  /** In all consultations that one may see. */
  async function everywhere(): Promise<void> {
    const q = words.value.trim()
    if (!q) return
    searching.value = true
    const got = await acts.run((http) => searchAll(http, q, null))
    searching.value = false
    if (got) elsewhere.value = got.value.items.filter((each) => each.consultation.id !== session.cid)
  }

  function clear(): void {
    turn += 1
    clearTimeout(typing)
    found.value = elsewhere.value = null
    replaced.value = null
    words.value = ''
    searching.value = false
  }

  return { words, instead, found, elsewhere, searching, busy, place, conflicts, replaced, hits, hit, bySegment, search, type, step, replace, everywhere, clear }
})
