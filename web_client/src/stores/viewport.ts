/** Which of the four room layouts the window has place for; the same conditions stand in the style sheets. */
import { defineStore } from 'pinia'
import { computed, ref, type Ref } from 'vue'

function matches(query: string): Ref<boolean> {
  const list = window.matchMedia(query)
  const now = ref(list.matches)
  list.addEventListener('change', () => (now.value = list.matches))
  return now
}

/** How large 1rem is against the usual 16 px, kept up to date: readers set their own text size, and then less fits into the same window. */
function textScale(): Ref<number> {
  const scale = ref(1)
  const probe = document.createElement('span')
  probe.className = 'remprobe'
  probe.setAttribute('aria-hidden', 'true')
  document.body.append(probe)
  const measure = (): void => {
    scale.value = probe.getBoundingClientRect().width / 16 || 1
  }
  measure()
  if ('ResizeObserver' in window) new ResizeObserver(measure).observe(probe)
  return scale
}

function windowSize(): Ref<{ width: number; height: number }> {
  const size = ref({ width: window.innerWidth, height: window.innerHeight })
  window.addEventListener('resize', () => (size.value = { width: window.innerWidth, height: window.innerHeight }))
  return size
}

/** In pixels at the usual text size. */
const TIGHT = 1000
const SHORT = 560

export const useViewport = defineStore('viewport', () => {
  const portrait = matches('(max-width: 860px) and (orientation: portrait)')
  const landscape = matches('(max-height: 500px) and (orientation: landscape)')
  const narrow = matches('(max-width: 860px)')
  const wall = matches('(min-width: 1800px)')
  const hall = matches('(min-width: 3000px)')
  const wide = matches('(min-width: 1300px)')
  const touch = matches('(pointer: coarse)')

  const scale = textScale()
  const size = windowSize()

  const phone = computed(() => portrait.value || landscape.value)
  /** place for the panel beside the stage */
  const tight = computed(() => !phone.value && size.value.width / scale.value < TIGHT)
  const panel = computed(() => !phone.value && !narrow.value && !tight.value)
  /** no place for the small pictures under the stage */
  const short = computed(() => !phone.value && size.value.height / scale.value < SHORT)
  /** what the server is told; a phone also sends a smaller picture */
  const device = computed<'phone' | 'laptop' | 'wall'>(() => (phone.value ? 'phone' : wall.value ? 'wall' : 'laptop'))
  const gridSize = computed(() => (portrait.value ? 6 : landscape.value ? 9 : hall.value ? 25 : wall.value ? 16 : 9))

  /** small pictures beside the stage; each costs a decoder */
  const stripSize = computed(() => (portrait.value ? 12 : wall.value ? 8 : wide.value ? 6 : 4))

  return { portrait, landscape, phone, panel, wall, touch, tight, short, device, gridSize, stripSize }
})
