/**
 * Comments on their way: kept on the device until the server has acknowledged them, sent one after the other, each with a key by which the
 * server knows one that comes a second time. Several tabs share what is kept, so it is read anew before it is changed.
 */
import { CommentError, type CommentDraft, type CommentReceipt } from '@/api/public-comments'

export interface CommentLetter extends CommentDraft {
  written_wall_ms: number
  /** the server's refusal, when sending it again would not help */
  refused: string | null
}

/** Why the next one waits, and until when (device time; null: until something happens). */
export interface Hold {
  why: 'offline' | 'paused' | 'fast' | 'identity'
  untilMs: number | null
}

export interface CommentOutboxOptions {
  read: () => CommentLetter[]
  keep: (letters: CommentLetter[]) => void
  send: (letter: CommentLetter) => Promise<CommentReceipt>
  sent: (letter: CommentLetter, receipt: CommentReceipt) => void
  changed: (letters: CommentLetter[], hold: Hold | null) => void
  /** in [0, 1): spreads a crowd that comes back at once */
  chance?: () => number
}

/** Passing by themselves; anything else is an answer. */
const AGAIN = new Set(['offline', 'timeout', 'internal', 'storage_unavailable', 'overloaded'])
const FIRST_MS = 2000
const LONGEST_MS = 30_000
const PAUSED_MS = 15_000

export class CommentOutbox {
  private hold: Hold | null = null
  private sending = false
  private paused = false
  private failures = 0
  private timer: ReturnType<typeof setTimeout> | undefined
  private closed = false

  constructor(private readonly options: CommentOutboxOptions) {
    this.tell()
    void this.flush()
  }

  add(draft: CommentDraft): void {
    this.change((letters) => [...letters, { ...draft, written_wall_ms: Date.now(), refused: null }])
    void this.flush()
  }

  drop(key: string): void {
    this.change((letters) => letters.filter((each) => each.key !== key))
  }

  /** The network is back, or the page is looked at again: no need to wait any longer. Being too fast is another matter. */
  wake(): void {
    if (this.hold?.why === 'fast') return
    this.failures = 0
    void this.flush()
  }

  /** As the page knows it: while comments are paused nothing is sent. */
  pause(paused: boolean): void {
    if (this.paused === paused) return
    this.paused = paused
    if (paused) this.wait('paused', null)
    else void this.flush()
  }

  /** Another tab wrote or sent something. */
  reread(): void {
    this.tell()
    void this.flush()
  }

  close(): void {
    this.closed = true
    clearTimeout(this.timer)
  }

  private async flush(): Promise<void> {
    if (this.sending || this.closed) return
    if (this.paused) {
      if (this.next()) this.wait('paused', null)
      return
    }
    this.sending = true
    clearTimeout(this.timer)
    this.hold = null
    this.tell()
    try {
      for (let next = this.next(); next && !this.closed && !this.paused; next = this.next()) {
        if (!(await this.deliver(next))) break
      }
    } finally {
      this.sending = false
    }
    if (this.paused && this.next()) this.wait('paused', null)
  }

  private next(): CommentLetter | undefined {
    return this.options.read().find((each) => each.refused === null)
  }

  /** Whether the next one may follow. */
  private async deliver(letter: CommentLetter): Promise<boolean> {
    try {
      const receipt = await this.options.send(letter)
      this.failures = 0
      this.options.sent(letter, receipt)
      this.drop(letter.key)
      return true
    } catch (error) {
      const { code, retryAfterS } = error instanceof CommentError ? error : new CommentError('offline', 0)
      const chance = (this.options.chance ?? Math.random)()
      if (code === 'rate_limited') this.wait('fast', (retryAfterS ?? 10) * 1000 + chance * 1000)
      else if (code === 'identity_required') this.wait('identity', null)
      else if (code === 'comments_paused') this.wait('paused', PAUSED_MS * (0.75 + chance / 2))
      else if (AGAIN.has(code)) {
        this.wait('offline', Math.min(LONGEST_MS, FIRST_MS * 2 ** this.failures) * (0.75 + chance / 2))
        this.failures += 1
      } else {
        this.change((letters) => letters.map((each) => (each.key === letter.key ? { ...each, refused: code } : each)))
        return true
      }
      return false
    }
  }

  private wait(why: Hold['why'], forMs: number | null): void {
    clearTimeout(this.timer)
    if (this.closed) return
    this.hold = { why, untilMs: forMs === null ? null : Date.now() + forMs }
    if (forMs !== null) {
      this.timer = setTimeout(() => {
        this.hold = null
        void this.flush()
      }, forMs)
    }
    this.tell()
  }

  private change(how: (letters: CommentLetter[]) => CommentLetter[]): void {
    this.options.keep(how(this.options.read()))
    this.tell()
  }

  private tell(): void {
    this.options.changed(this.options.read(), this.hold)
  }
}

export function isLetter(each: unknown): each is CommentLetter {
  const found = each as Partial<CommentLetter> | null
  return typeof found?.key === 'string' && typeof found.text === 'string' && typeof found.nickname === 'string' && typeof found.written_wall_ms === 'number'
}

/** 128 bits that nobody else has. */
export const newKey = (): string => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
