/**
 * One <video> element per picture for as long as the picture exists. A tile borrows the element; when somebody moves from the strip to
 * the stage the same element moves, so that the picture goes on without a black moment.
 */

export class VideoPool {
  private readonly elements = new Map<string, HTMLVideoElement>()

  /** The element of a picture, playing the given track. */
  lend(key: string, track: MediaStreamTrack): HTMLVideoElement {
    let element = this.elements.get(key)
    if (!element) {
      element = document.createElement('video')
      element.autoplay = true
      element.muted = true
      element.playsInline = true
      element.disablePictureInPicture = true
      element.className = 'pic'
      element.setAttribute('aria-hidden', 'true')
      element.tabIndex = -1
      this.elements.set(key, element)
    }
    const current = (element.srcObject as MediaStream | null)?.getVideoTracks()[0]
    if (current !== track) element.srcObject = new MediaStream([track])
    return element
  }

  /** Puts an element into a tile. Moving within one task does not stop it; play() is for browsers that think otherwise. */
  place(element: HTMLVideoElement, host: HTMLElement): void {
    if (element.parentElement !== host) host.prepend(element)
    if (element.paused) void element.play().catch(() => undefined)
  }

  /** Lets go of every picture that no longer exists. */
  keepOnly(keys: Set<string>): void {
    for (const [key, element] of this.elements) {
      if (keys.has(key)) continue
      element.srcObject = null
      element.remove()
      this.elements.delete(key)
    }
  }
}
