/** Who else is in which segment, and where; and telling others where one is oneself. */
import { defineStore } from 'pinia'
import { computed, onScopeDispose, shallowRef } from 'vue'
import type { TranscriptEditing } from '@/api/transcript'
import { pointPlace, unitPlaces } from '@/api/code-points'
import { useLine } from './line'
import { useTranscript } from './transcript'

/** the server forgets who is silent for longer */
const LASTS_MS = 20_000
const AGAIN_MS = 8000
const PAUSE_MS = 700

export interface Editor {
  session: string
  name: string
  segmentId: string
  at: number
  untilMs: number
}

export const useTranscriptPresence = defineStore('transcript-presence', () => {
  const line = useLine()
  const transcript = useTranscript()
  const editors = shallowRef(new Map<string, Editor>())
  let own: { segmentId: string; at: number } | null = null
  let told = ''
  let pause: ReturnType<typeof setTimeout> | undefined

  function apply({ segment_id, at, name, session }: TranscriptEditing): void {
    const next = new Map(editors.value)
    if (segment_id === null || at === null) next.delete(session)
    else next.set(session, { session, name, segmentId: segment_id, at: unitPlaces(transcript.byId(segment_id)?.text ?? '', [at])[0] ?? at, untilMs: performance.now() + LASTS_MS })
    editors.value = next
  }

  const bySegment = computed(() => {
    const found = new Map<string, Editor[]>()
    for (const each of editors.value.values()) found.set(each.segmentId, [...(found.get(each.segmentId) ?? []), each])
    return found
  })
  const names = computed(() => [...new Set([...editors.value.values()].map((each) => each.name))])

  /** The caret is there now; null: the field was left. Told at most so often, and again while one stays. */
  function tell(segmentId: string | null, at = 0): void {
    const before = own
    own = segmentId === null ? null : { segmentId, at }
    if (own === null) {
      clearTimeout(pause)
      pause = undefined
      if (before) say({ segment_id: before.segmentId, at: null })
      told = ''
      return
    }
    if (pause === undefined) flush()
  }

  function flush(): void {
    pause = undefined
    if (!own) return
    const now = `${own.segmentId} ${own.at}`
    if (now === told) return
    told = now
    say({ segment_id: own.segmentId, at: pointPlace(transcript.byId(own.segmentId)?.text ?? '', own.at) })
    pause = setTimeout(flush, PAUSE_MS)
  }

  /** Nobody is told when this fails: the text itself is safe. */
  function say(payload: { segment_id: string; at: number | null }): void {
    if (line.up) void line.request('transcript.edit_at', payload).catch(() => undefined)
  }

  const timer = setInterval(() => {
    if (own) {
      told = ''
      if (pause === undefined) flush()
    }
    const now = performance.now()
    if ([...editors.value.values()].some((each) => each.untilMs < now)) editors.value = new Map([...editors.value].filter(([, each]) => each.untilMs >= now))
  }, AGAIN_MS)
  onScopeDispose(() => {
    clearInterval(timer)
    clearTimeout(pause)
  })

  return { editors, bySegment, names, apply, tell }
})
