/** The one sentence about a weak network or a device that cannot keep up: the gravest counts, it goes by itself, and recovery is said. */
import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'
import { useAllocation } from './allocation'
import { useCall } from './call'
import { useOwnMedia } from './own-media'

export type WeakHint = 'soundOnly' | 'saving' | 'relieved' | 'restored'

/** A moment's shortage is over before it is read; a moment's recovery, too, and a link at its limit has many of both. */
const HOLD_MS = 2000
const RECOVERED_MS = 4000
const RESTORED_MS = 3000
/** What was read of the graver holds for the lighter. */
const GRAVITY: Readonly<Record<WeakHint, number>> = { restored: 0, relieved: 1, saving: 2, soundOnly: 3 }

export const useWeakLink = defineStore('weak-link', () => {
  const allocation = useAllocation()
  const call = useCall()
  const own = useOwnMedia()

  const shown = ref<WeakHint | null>(null)
  const dismissed = ref<WeakHint | null>(null)
  let timer: ReturnType<typeof setTimeout> | undefined

  const here = computed(() => call.link === 'connected' && call.ended === null)
  const now = computed<WeakHint | null>(() => {
    // The veil says more; and who has left needs no word.
    if (!here.value) return null
    if (allocation.shortage === 'all') return 'soundOnly'
    if (allocation.shortage === 'some') return 'saving'
    return own.relieved ? 'relieved' : null
  })

  watch(now, (hint) => {
    clearTimeout(timer)
    if (hint === shown.value) return
    if (hint === null && shown.value === null) return
    timer = setTimeout(() => turn(hint), !here.value ? 0 : hint === null ? RECOVERED_MS : HOLD_MS)
  })

  function turn(hint: WeakHint | null): void {
    const network = shown.value === 'soundOnly' || shown.value === 'saving'
    if (hint === null || hint === 'relieved') dismissed.value = hint === dismissed.value ? hint : null
    if (hint !== null || !network || !here.value) {
      shown.value = hint
      return
    }
    shown.value = 'restored'
    timer = setTimeout(() => (shown.value = now.value), RESTORED_MS)
  }

  /** Read: it comes again when something graver does, or when it was over in between. */
  function dismiss(): void {
    dismissed.value = shown.value
  }

  const hint = computed(() => (shown.value && dismissed.value && GRAVITY[shown.value] <= GRAVITY[dismissed.value] ? null : shown.value))

  return { hint, dismiss }
})
