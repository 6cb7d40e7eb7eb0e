/** A transcript's server for tests: segments with revisions, as the real one refuses and answers. */
import type { Revision, Segment, Term, WholeSegment } from '@/api/transcript'

export function segment(id: string, more: Partial<WholeSegment> = {}): WholeSegment {
  const text = more.text ?? '助餐点可以用现金。'
  return {
    id,
    participant_id: 'p1',
    speaker: { name: '市民政局', role: 'department', venue: '主会场', title: null, is_certain: true },
    start_ms: 1000,
    end_ms: 4000,
    text,
    raw: '助餐点可以用现金',
    words: [['助餐点', 1000, 2000, 1], ['可以用现金', 2000, 4000, 1]],
    engine: 'scripted',
    item_id: null,
    turn_id: null,
    automatic: [],
    revision: 1,
    is_edited: false,
    is_unclear: false,
    is_confidential: false,
    proposal: null,
    ...more,
  }
}

export class TranscriptServer {
  rows: WholeSegment[] = []
  terms: Term[] = []
  termsRevision = 0
  /** after the list was read: time for somebody else */
  afterTerms: (() => unknown) | null = null
  down = false
  /** answers wait until it is called */
  held: (() => void) | null = null
  holds = false
  readonly asked: string[] = []
  readonly revisions: Revision[] = []

  answer = async (address: string, init: RequestInit): Promise<Response> => {
    const method = init.method ?? 'GET'
    const url = new URL(address, 'http://desk')
    const path = url.pathname.replace('/api/v1/consultations/c1', '')
    this.asked.push(`${method} ${path}${url.search}`)
    if (this.down) throw new TypeError('no line')
    const body = typeof init.body === 'string' ? (JSON.parse(init.body) as Record<string, unknown>) : {}
    const answer = this.respond(method, path, body)
    if (this.holds) await new Promise<void>((done) => (this.held = done))
    return answer
  }

  one(id: string): WholeSegment {
    const found = this.rows.find((each) => each.id === id)
    if (!found) throw new Error(`no ${id}`)
    return found
  }

  /** Somebody else changes a segment. */
  change(id: string, more: Partial<WholeSegment>): WholeSegment {
    const next = { ...this.one(id), ...more, revision: this.one(id).revision + 1 }
    this.rows = this.rows.map((each) => (each.id === id ? next : each))
    return next
  }

  private respond(method: string, path: string, body: Record<string, unknown>): Response {
    if (path === '/transcript' && method === 'GET') return say(200, { items: this.rows.map(brief), next: null })
    if (path === '/transcript/find') return say(200, { items: [] })
    if (path === '/transcript/replace') return this.replace(body)
    if (path === '/terms') {
      if (method === 'GET') {
        const said = say(200, { items: this.terms, revision: this.termsRevision })
        this.afterTerms?.()
        return said
      }
      if (body.revision !== this.termsRevision) return say(409, { code: 'edit_conflict' })
      this.terms = body.items as Term[]
      return say(200, { items: this.terms, revision: ++this.termsRevision })
    }
    const [, , id = '', verb = ''] = path.split('/')
    const known = this.rows.find((each) => each.id === id)
    if (!known) return say(404, { code: 'not_found' })
    if (method === 'GET') return say(200, known)
    if (body.revision !== known.revision) return say(409, { code: 'edit_conflict', segment: known })
    if (method === 'PATCH') {
      const { speaker, ...more } = body
      return say(200, this.change(id, { ...more, is_edited: true, ...(speaker ? { speaker: { ...known.speaker, ...(speaker as object) } } : {}) }))
    }
    if (verb === 'split') return this.split(known, body.at as number)
    if (verb === 'join') return this.join(known, body.next_revision as number)
    if (verb === 'restore') return say(200, this.change(id, { text: `第 ${String(body.to)} 稿` }))
    return say(400, { code: 'bad_request' })
  }

  private split(known: WholeSegment, at: number): Response {
    const first = this.change(known.id, { text: known.text.slice(0, at), end_ms: 2500 })
    const second = segment(`${known.id}b`, { text: known.text.slice(at), start_ms: 2500, end_ms: known.end_ms })
    this.rows = this.rows.flatMap((each) => (each.id === known.id ? [each, second] : [each]))
    return say(200, { items: [first, second] })
  }

  private join(known: WholeSegment, nextRevision: number): Response {
    const next = this.rows[this.rows.indexOf(known) + 1]
    if (!next) return say(404, { code: 'not_found' })
    if (next.revision !== nextRevision) return say(409, { code: 'edit_conflict', segment: next })
    this.rows = this.rows.filter((each) => each !== next)
    return say(200, this.change(known.id, { text: known.text + next.text, end_ms: next.end_ms }))
  }

  private replace({ find, replace, segments }: Record<string, unknown>): Response {
    const items: Segment[] = []
    const conflicts: string[] = []
    for (const { id, revision } of segments as { id: string; revision: number }[]) {
      const known = this.one(id)
      if (known.revision !== revision) conflicts.push(id)
      else items.push(brief(this.change(id, { text: known.text.replaceAll(find as string, replace as string), is_edited: true })))
    }
    return say(200, { items, conflicts })
  }
}

function brief(whole: WholeSegment): Segment {
  const kept: Segment = { ...whole }
  delete kept.raw
  delete kept.words
  return kept
}

function say(status: number, body: unknown): Response {
  return new Response(JSON.stringify(body), { status })
}
