/**
 * Which case stands open: it is in the address, so that a link leads to it and a telephone's back key leads to the list. On a wide
 * screen there is always one beside the list, the most urgent where none was chosen.
 */
import { onBeforeUnmount, watch } from 'vue'
import { addressOf, caseInAddress } from '@/components/case-address'
import { useResponses } from '@/stores/responses'

const WIDE = '(min-width: 861px)'

export function useOpenCase(first: () => string | null): { choose: (id: string) => void; leave: () => void } {
  const store = useResponses()
  const wide = window.matchMedia(WIDE)

  function follow(): void {
    const id = caseInAddress(window.location.hash)
    if (id) void store.open(id)
    else if (wide.matches) void store.open(first())
    else void store.open(null)
  }

  function choose(id: string): void {
    const hash = addressOf(id)
    if (window.location.hash === hash) return
    // A wide screen shows both: going back shall leave the place, not walk through what was looked at.
    if (wide.matches || caseInAddress(window.location.hash)) window.history.replaceState(window.history.state, '', hash)
    else window.history.pushState({ list: true }, '', hash)
    void store.open(id)
    if (!wide.matches) window.scrollTo(0, 0)
  }

  function leave(): void {
    const state = window.history.state as { list?: boolean } | null
    if (state?.list) window.history.back()
    else {
      window.history.replaceState(null, '', window.location.pathname + window.location.search)
      void store.open(null)
    }
  }

  follow()
  window.addEventListener('popstate', follow)
  // The first rows come after the page; a wide screen is never without a case for long.
  const stop = watch(first, (id) => {
    if (id && wide.matches && store.openId === null) void store.open(id)
  })
  onBeforeUnmount(() => {
    window.removeEventListener('popstate', follow)
    stop()
    void store.open(null)
  })

  return { choose, leave }
}
