/** Watches one tile: whether it is on the screen, and how large its picture is shown there. */
import { onBeforeUnmount, watch, type Ref } from 'vue'
import { shownSize } from '@/rtc/wish-sender'
import { useWishes } from '@/stores/wishes'

export interface ShownPicture {
  /** null: there is nothing to ask for */
  publicationId: string | null
  fit: 'contain' | 'cover'
  /** width by height */
  aspect: number
  priority: number
}

export function useShownPicture(host: Ref<HTMLElement | null>, picture: () => ShownPicture): void {
  const { sender } = useWishes()
  const tile = {}
  let box = { width: 0, height: 0 }
  let onScreen = !('IntersectionObserver' in window)
  const off: (() => void)[] = []

  function tell(): void {
    const { publicationId, fit, aspect, priority } = picture()
    const size = onScreen ? shownSize(box, fit, aspect, window.devicePixelRatio) : null
    sender.show(tile, publicationId !== null && size ? { publication_id: publicationId, ...size, priority } : null)
  }

  function observe(element: HTMLElement): void {
    const sizes = new ResizeObserver(([entry]) => {
      if (entry) box = { width: entry.contentRect.width, height: entry.contentRect.height }
      tell()
    })
    sizes.observe(element)
    off.push(() => sizes.disconnect())
    if (!('IntersectionObserver' in window)) return
    // The last pixels of a row that was scrolled away are not looked at.
    const places = new IntersectionObserver(
      (entries) => {
        onScreen = (entries.at(-1)?.intersectionRatio ?? 0) > 0.1
        tell()
      },
      { threshold: [0, 0.11, 0.5] },
    )
    places.observe(element)
    off.push(() => places.disconnect())
  }

  function stop(): void {
    for (const each of off.splice(0)) each()
  }

  watch(
    host,
    (element) => {
      stop()
      if (element && 'ResizeObserver' in window) observe(element)
    },
    { immediate: true, flush: 'post' },
  )
  watch(picture, tell, { deep: true, flush: 'post' })
  onBeforeUnmount(() => {
    stop()
    sender.show(tile, null)
  })
}
