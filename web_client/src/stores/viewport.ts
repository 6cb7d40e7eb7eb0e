/** Which of the four room layouts the window has place for; the same conditions stand in the style sheets. */
import { defineStore } from 'pinia'
import { computed, ref, type Ref } from 'vue'

function matches(query: string): Ref<boolean> {
  const list = window.matchMedia(query)
  const now = ref(list.matches)
  list.addEventListener('change', () => (now.value = list.matches))
  return now
}

export const useViewport = defineStore('viewport', () => {
  const portrait = matches('(max-width: 860px) and (orientation: portrait)')
  const landscape = matches('(max-height: 500px) and (orientation: landscape)')
  const narrow = matches('(max-width: 860px)')
  const wall = matches('(min-width: 1800px)')
  const hall = matches('(min-width: 3000px)')
  const wide = matches('(min-width: 1300px)')
  const touch = matches('(pointer: coarse)')

  const phone = computed(() => portrait.value || landscape.value)
  /** place for the panel beside the stage */
  const panel = computed(() => !phone.value && !narrow.value)
  /** what the server is told; a phone also sends a smaller picture */
  const device = computed<'phone' | 'laptop' | 'wall'>(() => (phone.value ? 'phone' : wall.value ? 'wall' : 'laptop'))
  const gridSize = computed(() => (portrait.value ? 6 : landscape.value ? 9 : hall.value ? 25 : wall.value ? 16 : 9))

  /** small pictures beside the stage; each costs a decoder */
  const stripSize = computed(() => (portrait.value ? 12 : wall.value ? 8 : wide.value ? 6 : 4))

  return { portrait, landscape, phone, panel, wall, touch, device, gridSize, stripSize }
})
