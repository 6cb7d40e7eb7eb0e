/** How captions and transcript fare, as the desk is told: the state comes with events, model and delay are asked for. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { transcripts, type CaptionState, type TranscriptState } from '@/api/transcript'
import { useActs } from './acts'
import { useLine } from './line'
import { useRoom } from './room'
import { useSession } from './session'

export const useTranscribing = defineStore('transcribing', () => {
  const acts = useActs()
  const line = useLine()
  const room = useRoom()
  const session = useSession()
  const told = shallowRef<TranscriptState | null>(null)
  const busy = ref(false)

  const may = computed(() => room.can('transcript.read'))
  /** null: the server has no captions */
  const state = computed<CaptionState | null>(() => room.state?.consultation.captions ?? null)
  const lagMs = computed(() => (state.value === 'late' ? (told.value?.lag_ms ?? null) : null))
  /** why there is no model, where that is known better than from the state */
  const reason = computed(() => told.value?.model.reason ?? '')
  const modelMissing = computed(() => state.value === 'no_model' || (told.value !== null && told.value.model.engine === ''))
  /** whether the picture of the program bears captions; null: the server has none */
  const onPicture = computed(() => room.state?.consultation.program_captions ?? null)

  async function look(): Promise<void> {
    if (!may.value) return
    const found = await acts.run((http) => transcripts(http, session.cid).state(), { quiet: true })
    if (found) told.value = found.value
  }

  async function showOnPicture(on: boolean): Promise<void> {
    if (busy.value) return
    busy.value = true
    await line.ask('program.captions', { on })
    busy.value = false
  }

  return { told, may, state, lagMs, reason, modelMissing, onPicture, busy, look, showOnPicture }
})
