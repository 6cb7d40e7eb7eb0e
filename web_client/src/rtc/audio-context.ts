/** The page's one AudioContext. Systems suspend it (telephone call, other tab, no gesture yet); it is resumed whenever it may be. */

let context: AudioContext | null = null

export function audioContext(): AudioContext | null {
  if (context && context.state !== 'closed') return context
  const Context = window.AudioContext as typeof AudioContext | undefined
  if (!Context) return null
  context = new Context()
  const own = context
  const resume = (): void => {
    if (own.state !== 'running' && own.state !== 'closed') void own.resume().catch(() => undefined)
  }
  own.addEventListener('statechange', resume)
  document.addEventListener('visibilitychange', resume)
  for (const gesture of ['pointerdown', 'keydown', 'touchend']) document.addEventListener(gesture, resume, { passive: true })
  resume()
  return own
}
