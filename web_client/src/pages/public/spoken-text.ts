/** What was said, by program time: which words belong to the picture, where a word is found, and the text with its headings. Pure. */
import type { PublicCaption, PublicConsultation } from '@/api/public'

/** How long the words stay after they were said. */
const STAYS_MS = 12_000
/** The picture need not be there to the tenth of a second. */
const EARLY_MS = 300
const LINES = 2

const same = (one: PublicCaption, two: PublicCaption): boolean => one.start_ms === two.start_ms && one.speaker === two.speaker

/** Captions heard before and those that came now, each once, the newer word counts; only the last ones are kept. */
export function gathered(before: readonly PublicCaption[], now: readonly PublicCaption[], most: number): PublicCaption[] {
  return [...before.filter((old) => !now.some((each) => same(each, old))), ...now].sort((one, two) => one.start_ms - two.start_ms).slice(-most)
}

/** The words under the picture at this moment: the last one or two, the newest last. */
export function under(captions: readonly PublicCaption[], programMs: number): PublicCaption[] {
  const begun = captions.filter((each) => each.start_ms <= programMs + EARLY_MS && programMs < each.end_ms + STAYS_MS).slice(-LINES)
  // An older sentence beside the newest only while both are of this moment: of two who speak at once.
  const newest = begun[begun.length - 1]
  return begun.filter((each) => newest && (each === newest || each.end_ms > newest.start_ms))
}

/** The one that is said at this moment, or was last; -1 before the first. */
export function currentAt(captions: readonly PublicCaption[], programMs: number | null): number {
  if (programMs === null) return -1
  let [from, to] = [0, captions.length]
  while (from < to) {
    const middle = (from + to) >> 1
    if ((captions[middle] as PublicCaption).start_ms <= programMs + EARLY_MS) from = middle + 1
    else to = middle
  }
  return from - 1
}

export interface Heading {
  kind: 'item' | 'promotion'
  atMs: number
  title: string
}

/** Items of the agenda and what the public had said, where they began. */
export function headings(page: Pick<PublicConsultation, 'agenda' | 'replay'>): Heading[] {
  const chapters = page.replay?.chapters
  if (chapters) return chapters.flatMap((each) => (each.kind === 'speech' ? [] : [{ kind: each.kind, atMs: each.from_ms, title: each.title }]))
  return page.agenda
    .flatMap((each) => (each.started_at_ms === null ? [] : [{ kind: each.kind === 'promotion' ? ('promotion' as const) : ('item' as const), atMs: each.started_at_ms, title: each.title }]))
    .sort((one, two) => one.atMs - two.atMs)
}

export type Row = { kind: 'head'; key: string; heading: Heading } | { kind: 'said'; key: string; at: number; caption: PublicCaption; named: boolean }

/** Headings and words in the order of time. `named`: the speaker is not the one of the line before. */
export function rows(captions: readonly PublicCaption[], heads: readonly Heading[]): Row[] {
  const found: Row[] = []
  let next = 0
  let speaker: string | null | undefined
  const put = (untilMs: number): void => {
    for (let head = heads[next]; head && head.atMs <= untilMs; head = heads[(next += 1)]) {
      found.push({ kind: 'head', key: `h${head.atMs}${head.kind}`, heading: head })
      speaker = undefined
    }
  }
  captions.forEach((caption, at) => {
    put(caption.start_ms)
    found.push({ kind: 'said', key: `s${caption.start_ms}${caption.speaker ?? ''}`, at, caption, named: caption.speaker !== speaker })
    speaker = caption.speaker
  })
  put(Infinity)
  return found
}

export interface Hit {
  /** index of the caption */
  at: number
  /** of the character */
  from: number
}

const plain = (text: string): string => text.toLowerCase()

export function hits(captions: readonly PublicCaption[], wanted: string): Hit[] {
  const word = plain(wanted.trim())
  if (!word) return []
  return captions.flatMap((caption, at) => {
    const text = plain(caption.text)
    const found: Hit[] = []
    for (let from = text.indexOf(word); from >= 0; from = text.indexOf(word, from + word.length)) found.push({ at, from })
    return found
  })
}

/** Where the word stands in one caption; `first` is the index of its first hit among all. */
export interface Marks {
  froms: readonly number[]
  first: number
}
export const UNMARKED: Marks = { froms: [], first: 0 }

/** The hits of each caption that has some, by its index. */
export function marked(found: readonly Hit[]): Map<number, Marks> {
  const marks = new Map<number, { froms: number[]; first: number }>()
  found.forEach(({ at, from }, n) => {
    const known = marks.get(at)
    if (known) known.froms.push(from)
    else marks.set(at, { froms: [from], first: n })
  })
  return marks
}

export interface Piece {
  text: string
  /** index among all hits; null: not one */
  hit: number | null
}

/** A text cut where the word was found. `first` is the index of its first hit. */
export function cut(text: string, froms: readonly number[], length: number, first: number): Piece[] {
  const found: Piece[] = []
  let done = 0
  froms.forEach((from, n) => {
    if (from > done) found.push({ text: text.slice(done, from), hit: null })
    found.push({ text: text.slice(from, from + length), hit: first + n })
    done = from + length
  })
  if (done < text.length) found.push({ text: text.slice(done), hit: null })
  return found
}
