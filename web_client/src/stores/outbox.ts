/**
 * Statements on their way: kept on the device until the server has them, sent one after the other, each with a key by which the server
 * knows one that comes a second time.
 */
import { RequestError } from '@/api/room-socket'

export interface Letter {
  key: string
  text: string
  reply_to: string | null
  private: boolean
  written_wall_ms: number
  /** the server's refusal, when sending it again would not help */
  refused: string | null
}

export interface OutboxOptions {
  read: () => Letter[]
  keep: (letters: Letter[]) => void
  send: (letter: Letter) => Promise<unknown>
  changed: (letters: Letter[]) => void
}

/** Passing by themselves; anything else is an answer. */
const AGAIN = new Set(['offline', 'timeout', 'rate_limited', 'storage_unavailable', 'internal'])
const RETRY_MS = 3000

export class Outbox {
  private letters: Letter[]
  private sending = false
  private up = false
  private retry: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly options: OutboxOptions) {
    this.letters = options.read()
    options.changed(this.letters)
  }

  add(text: string, replyTo: string | null, toSecretariat: boolean): void {
    const key = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
    this.set([
      ...this.letters,
      { key, text, reply_to: replyTo, private: toSecretariat, written_wall_ms: Date.now(), refused: null },
    ])
    void this.flush()
  }

  drop(key: string): void {
    this.set(this.letters.filter((each) => each.key !== key))
  }

  line(up: boolean): void {
    this.up = up
    if (up) void this.flush()
  }

  private async flush(): Promise<void> {
    if (this.sending) return
    this.sending = true
    clearTimeout(this.retry)
    try {
      for (let next = this.next(); next && this.up; next = this.next()) await this.deliver(next)
    } catch {
      this.retry = setTimeout(() => void this.flush(), RETRY_MS)
    } finally {
      this.sending = false
    }
  }

  private next(): Letter | undefined {
    return this.letters.find((each) => each.refused === null)
  }

  private async deliver(letter: Letter): Promise<void> {
    try {
      await this.options.send(letter)
      this.drop(letter.key)
    } catch (error) {
      const code = error instanceof RequestError ? error.code : ''
      if (AGAIN.has(code)) throw error
      this.set(this.letters.map((each) => (each.key === letter.key ? { ...each, refused: code || 'failed' } : each)))
    }
  }

  private set(letters: Letter[]): void {
    this.letters = letters
    this.options.keep(letters)
    this.options.changed(letters)
  }
}
