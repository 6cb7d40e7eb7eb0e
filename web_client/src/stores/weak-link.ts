/** The one sentence about a weak network or a device that cannot keep up: the gravest counts, it goes by itself, and recovery is said. */
import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'
import { useAllocation } from './allocation'
import { useCall } from './call'
import { useOwnMedia } from './own-media'

export type WeakHint = 'soundOnly' | 'saving' | 'relieved' | 'restored'

/** A moment's shortage is over before it is read. */
const HOLD_MS = 2000
const RESTORED_MS = 3000

export const useWeakLink = defineStore('weak-link', () => {
  const allocation = useAllocation()
  const call = useCall()
  const own = useOwnMedia()

  const shown = ref<WeakHint | null>(null)
  const dismissed = ref<WeakHint | null>(null)
  let timer: ReturnType<typeof setTimeout> | undefined

  const now = computed<WeakHint | null>(() => {
    // The veil says more.
    if (call.link !== 'connected') return null
    if (allocation.shortage === 'all') return 'soundOnly'
    if (allocation.shortage === 'some') return 'saving'
    return own.relieved ? 'relieved' : null
  })

  watch(now, (hint) => {
    clearTimeout(timer)
    if (hint === shown.value) return
    if (hint === null && shown.value === null) return
    timer = setTimeout(() => turn(hint), call.link === 'connected' ? HOLD_MS : 0)
  })

  function turn(hint: WeakHint | null): void {
    const network = shown.value === 'soundOnly' || shown.value === 'saving'
    if (hint !== null || !network || call.link !== 'connected') {
      shown.value = hint
      if (hint !== dismissed.value) dismissed.value = null
      return
    }
    dismissed.value = null
    shown.value = 'restored'
    timer = setTimeout(() => (shown.value = now.value), RESTORED_MS)
  }

  /** Read: it comes again only when something changes. */
  function dismiss(): void {
    dismissed.value = shown.value
  }

  const hint = computed(() => (shown.value === dismissed.value ? null : shown.value))

  return { hint, dismiss }
})
