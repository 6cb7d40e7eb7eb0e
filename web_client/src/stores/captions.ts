/** Captions on this device: what is said now, whether there are any, and whether this reader wants them. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import type { CaptionFinal, CaptionState } from '@/api/captions'
import type { ServerEvent, ServerEvents, Snapshot } from '@/api/messages'
import { i18n } from '@/i18n'
import { corrected, fresh, joinedText, shown, withFinal, withoutPartials, withPartial, type CaptionLines } from './caption-lines'
import { useClock } from './clock'
import { useNotices } from './notices'
import { usePreferences } from './preferences'
import { useRoom } from './room'

/** Nobody listens at all in these. */
const NONE: ReadonlySet<CaptionState> = new Set(['off', 'no_model'])
/** More than this the reader is told. */
const LATE_MS = 5000

export const useCaptions = defineStore('captions', () => {
  const { t } = i18n.global
  const clock = useClock()
  const notices = useNotices()
  const preferences = usePreferences()
  const room = useRoom()
  const all = shallowRef<CaptionLines>([])
  /** how far the last sentence came behind what was said */
  const lagMs = ref(0)
  const announced = ref('')

  const state = computed<CaptionState>(() => room.state?.consultation.captions ?? 'off')
  const available = computed(() => !NONE.has(state.value))
  const on = computed(() => preferences.captions && available.value)
  const lines = computed(() => shown(all.value).map((line) => ({ id: line.participantId, name: line.name, said: joinedText(line.finals.map((each) => each.text)), partial: line.partial })))
  /** What is not as it should be, in words. */
  const note = computed(() => {
    if (state.value === 'late') return lagMs.value > LATE_MS ? t('captions.late', { n: Math.round(lagMs.value / 1000) }) : t('captions.lateSome')
    return state.value === 'on' || !available.value ? null : t(`captions.${state.value as 'starting' | 'trouble' | 'paused'}`)
  })

  const device = (): number => performance.now()

  function told<Name extends ServerEvent>(name: Name, payload: ServerEvents[Name]): void {
    if (name === 'caption.partial') all.value = withPartial(all.value, payload as ServerEvents['caption.partial'], device())
    else if (name === 'caption.corrected') all.value = corrected(all.value, payload as ServerEvents['caption.corrected'])
    else if (name === 'caption.final') heard(payload as CaptionFinal)
  }

  function heard(final: CaptionFinal): void {
    if (clock.programMs !== null) lagMs.value = Math.max(0, clock.programMs - final.end_ms)
    all.value = withFinal(all.value, final, device())
    announced.value = t('captions.says', { name: final.speaker.name, text: final.text })
  }

  /** What was said before one came, or while the line was down. */
  function take(snapshot: Snapshot): void {
    const now = snapshot.program_time_ms
    for (const each of snapshot.recent_captions ?? []) {
      all.value = withFinal(all.value, each, device() - (now === null ? 0 : Math.max(0, now - each.end_ms)))
    }
    all.value = fresh(all.value, device())
  }

  function clear(): void {
    all.value = []
    lagMs.value = 0
    announced.value = ''
  }

  watch(
    () => Math.floor(clock.wallMs / 1000),
    () => (all.value = fresh(all.value, device())),
  )
  // Nothing grows any more, and what was said stays for its time.
  watch(state, (now) => {
    if (now !== 'on' && now !== 'late') all.value = withoutPartials(all.value)
  })

  /** Without a model there is nothing to switch: why is said instead. */
  function toggle(): void {
    if (!available.value) {
      notices.show(t('captions.off'), { detail: t(state.value === 'no_model' ? 'captions.noModelText' : 'captions.offText') })
      return
    }
    preferences.captions = !preferences.captions
    notices.say(t(preferences.captions ? 'captions.shown' : 'captions.hidden'))
  }

  return { state, available, on, lines, note, announced, told, take, clear, toggle }
})
