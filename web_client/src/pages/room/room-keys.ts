/** The keys of the room. Single keys work only while no field and no opened sheet has the focus, and can be switched off. */
import { onBeforeUnmount, onMounted, type Ref } from 'vue'
import { useCaptions } from '@/stores/captions'
import { useHand } from '@/stores/hand'
import { useLayout } from '@/stores/layout'
import { useOwnMedia } from '@/stores/own-media'
import { usePreferences } from '@/stores/preferences'

const REGIONS = ['header', 'main', 'aside', 'footer']

export function useRoomKeys(root: Ref<HTMLElement | null>): void {
  const captions = useCaptions()
  const hand = useHand()
  const layout = useLayout()
  const own = useOwnMedia()
  const preferences = usePreferences()
  let talking = false

  const acts: Record<string, () => void> = {
    m: () => void own.toggleMicrophone(),
    v: () => void own.toggleCamera(),
    h: () => void hand.toggle(),
    c: () => captions.toggle(),
    g: () => layout.toggleView(),
    '?': () => (layout.sheet = 'keys'),
  }

  function down(event: KeyboardEvent): void {
    if (event.key === 'F6') {
      event.preventDefault()
      nextRegion(event.shiftKey ? -1 : 1)
      return
    }
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || !preferences.keys || layout.sheet) return
    const target = event.target as HTMLElement
    if (target.closest('input, textarea, select, [contenteditable], [role="menu"], [role="dialog"], [role="alertdialog"]')) return
    if (event.code === 'Space') {
      // On a button the space bar presses the button.
      if (target.closest('button, [role="tab"], a')) return
      event.preventDefault()
      if (event.repeat || talking || own.microphone || own.closed) return
      talking = true
      void own.setMicrophone(true)
      return
    }
    const act = acts[event.key.toLowerCase()]
    if (!act || event.repeat) return
    event.preventDefault()
    act()
  }

  function up(event: KeyboardEvent): void {
    if (event.code === 'Space') hush()
  }

  /** Also when the window loses the focus: the release of the key is then never told. */
  function hush(): void {
    if (!talking) return
    talking = false
    void own.setMicrophone(false)
  }

  function nextRegion(step: number): void {
    const regions = REGIONS.map((name) => root.value?.querySelector<HTMLElement>(name)).filter((each) => !!each)
    const at = regions.findIndex((each) => each.contains(document.activeElement))
    regions[(at + step + regions.length) % regions.length]?.focus()
  }

  onMounted(() => {
    window.addEventListener('keydown', down)
    window.addEventListener('keyup', up)
    window.addEventListener('blur', hush)
  })
  onBeforeUnmount(() => {
    window.removeEventListener('keydown', down)
    window.removeEventListener('keyup', up)
    window.removeEventListener('blur', hush)
  })
}
