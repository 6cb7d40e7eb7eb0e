/** A page that broke loads itself anew: soon at first, later when that does not help, for there is nobody who would press a key. */

const KEY = 'yuanshang.screen.reloads'
const WAITS_MS = [1000, 5000, 20_000, 60_000]
/** After so long without trouble the next one is the first again. */
const CALM_MS = 120_000

export interface GuardOptions {
  reload: () => void
  read: () => string | null
  write: (text: string) => void
}

const browser: GuardOptions = {
  reload: () => window.location.reload(),
  read: () => window.sessionStorage.getItem(KEY),
  write: (text) => window.sessionStorage.setItem(KEY, text),
}

export class ScreenGuard {
  private due: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly options: GuardOptions = browser) {}

  /** Errors that nobody caught are told from now on. */
  watch(): void {
    window.addEventListener('error', (event) => {
      // What did not load (a picture, a font) is told here as well, without an error; the page goes on without it.
      if (event.error) this.broke()
    })
    setTimeout(() => this.count(0), CALM_MS)
  }

  /** Something threw that should not have. Once is enough until the page is new. */
  broke(): void {
    if (this.due !== undefined) return
    const before = this.before()
    const wait = WAITS_MS[Math.min(before, WAITS_MS.length - 1)]
    this.count(before + 1)
    this.due = setTimeout(() => this.options.reload(), wait)
  }

  private before(): number {
    try {
      return Number(this.options.read() ?? 0) || 0
    } catch {
      return 0
    }
  }

  private count(number: number): void {
    try {
      this.options.write(String(number))
    } catch {
      // Storage may be switched off: then every time is the first.
    }
  }
}
