/** Where there is no text yet: the speech model, what is still to be recognised, and gaps to be settled. Looked at while the place is open. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { transcripts, type Gap, type TranscriptState } from '@/api/transcript'
import { useActs } from './acts'
import { useSession } from './session'

const LOOK_MS = 5000
const BUSY_MS = 2000

export const gapKey = (gap: Pick<Gap, 'participant_id' | 'from_ms' | 'to_ms'>): string => `${gap.participant_id} ${gap.from_ms} ${gap.to_ms}`

export const useTranscriptGaps = defineStore('transcript-gaps', () => {
  const acts = useActs()
  const session = useSession()
  const state = shallowRef<TranscriptState | null>(null)
  const busy = ref(new Set<string>())
  let timer: ReturnType<typeof setTimeout> | undefined
  let followed = false

  /** nothing of the meeting was written down or recorded: that is no stretch among others */
  const isNothing = (each: Gap): boolean => each.state === 'waived' && each.reason === 'not_transcribed' && !each.note
  const gaps = computed(() => (state.value?.gaps ?? []).filter((each) => !isNothing(each)))
  const nothing = computed(() => state.value?.gaps.some(isNothing) ?? false)
  const open = computed(() => gaps.value.filter((each) => each.state !== 'waived'))
  const working = computed(() => (state.value?.jobs.running ?? 0) + (state.value?.jobs.waiting ?? 0) > 0)
  /** 0 to 1, of what is being recognised from the files */
  const part = computed(() => {
    const jobs = state.value?.jobs
    return jobs && jobs.total_ms > 0 ? Math.min(1, jobs.done_ms / jobs.total_ms) : 0
  })

  async function load(): Promise<void> {
    clearTimeout(timer)
    const got = await acts.run((http) => transcripts(http, session.cid).state(), { quiet: true })
    // An equal answer draws nothing anew.
    if (got && JSON.stringify(got.value) !== JSON.stringify(state.value)) state.value = got.value
    clearTimeout(timer)
    if (followed) timer = setTimeout(() => void load(), working.value ? BUSY_MS : LOOK_MS)
  }

  function start(): void {
    followed = true
    void load()
  }

  function stop(): void {
    followed = false
    clearTimeout(timer)
  }

  async function settle(gap: Gap, action: 'recognise' | 'waive', note?: string): Promise<boolean> {
    const key = gapKey(gap)
    if (busy.value.has(key)) return false
    busy.value.add(key)
    const { participant_id, from_ms, to_ms } = gap
    const done = await acts.run((http) => transcripts(http, session.cid).gap({ participant_id, from_ms, to_ms }, action, note))
    busy.value.delete(key)
    await load()
    return done !== null
  }

  return { state, gaps, nothing, open, working, part, busy, load, start, stop, settle }
})
