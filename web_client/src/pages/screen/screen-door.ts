/**
 * What opens the screen: a venue's screen link, which gives tokens any time, or a token in the address. The link stays in the address,
 * so that a browser that starts by itself with it opens the screen by itself.
 */
import { keep, readKept, takeToken, type Resume } from '@/api/keepsake'
import { enterScreen } from '@/api/links'
import { RequestError } from '@/api/room-socket'

const TOKEN = 'screen.token'
const RESUME = 'screen.resume'

export class ScreenDoor {
  private readonly venue: string | null
  private readonly code: string | null
  private given: string | null

  constructor(readonly cid: string, hash = window.location.hash) {
    const words = new URLSearchParams(hash.slice(1))
    this.venue = words.get('venue')
    this.code = words.get('code')
    this.given = this.byLink ? readKept<string | null>(cid, TOKEN, null) : takeToken(cid, false)
  }

  /** Another token can be had without anybody. */
  get byLink(): boolean {
    return Boolean(this.venue && this.code)
  }

  /** What there is now, without asking for another. */
  get current(): string | null {
    return this.given
  }

  /** Raises RequestError with the server's code; token_missing when the address holds nothing. */
  async token(): Promise<string> {
    if (this.given) return this.given
    if (!this.venue || !this.code) throw new RequestError('token_missing')
    const { token } = await enterScreen(this.cid, this.venue, this.code)
    this.given = token
    keep(this.cid, TOKEN, token)
    return token
  }

  /** It is good no longer. Of a token that nobody can give anew nothing is forgotten: it may have been only the server's trouble. */
  forget(): void {
    if (!this.byLink) return
    this.given = null
    keep(this.cid, TOKEN, null)
  }

  readResume(): Resume | null {
    return readKept<Resume | null>(this.cid, RESUME, null)
  }

  keepResume(resume: Resume | null): void {
    keep(this.cid, RESUME, resume)
  }
}
