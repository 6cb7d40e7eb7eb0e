/** Keeps the screen on while in the room. The system takes the lock away when the page is hidden; it is taken again afterwards. */

interface ScreenWakeLock {
  request(type: 'screen'): Promise<WakeLockSentinel>
}

export class WakeLock {
  private sentinel: WakeLockSentinel | null = null
  private wanted = false
  private readonly again = (): void => void this.take()

  hold(): void {
    this.wanted = true
    document.addEventListener('visibilitychange', this.again)
    void this.take()
  }

  release(): void {
    this.wanted = false
    document.removeEventListener('visibilitychange', this.again)
    void this.sentinel?.release().catch(() => undefined)
    this.sentinel = null
  }

  private async take(): Promise<void> {
    const api = (navigator as { wakeLock?: ScreenWakeLock }).wakeLock
    if (!this.wanted || !api || document.visibilityState !== 'visible' || (this.sentinel && !this.sentinel.released)) return
    // Refused on an empty battery: the meeting goes on all the same.
    this.sentinel = await api.request('screen').catch(() => null)
  }

}
