/** A few typed events, so that the media code needs neither the DOM's event classes nor Vue. */
export class Emitter<Events extends object> {
  private readonly listeners = new Map<keyof Events, Set<(payload: never) => void>>()

  /** Returns the way out. */
  on<Name extends keyof Events>(name: Name, listener: (payload: Events[Name]) => void): () => void {
    const set = this.listeners.get(name) ?? new Set()
    set.add(listener as (payload: never) => void)
    this.listeners.set(name, set)
    return () => set.delete(listener as (payload: never) => void)
  }

  emit<Name extends keyof Events>(name: Name, payload: Events[Name]): void {
    for (const listener of [...(this.listeners.get(name) ?? [])]) {
      ;(listener as (payload: Events[Name]) => void)(payload)
    }
  }
}
