/** Comments in words: how long ago, why the filter stopped one, and where in the text it found something. */
import type { CommentReason, ModeratedComment } from '@/api/moderation'

type Translate = (key: string, values?: Record<string, unknown>) => string
interface Words {
  t: Translate
  te: (key: string) => boolean
}

/** 52 秒, 1 分 12 秒, 14 分, 2 小时 */
export function spanText(ms: number, t: Translate): string {
  const seconds = Math.floor(ms / 1000)
  if (seconds < 60) return t('comments.span.seconds', { s: seconds })
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60]
  if (minutes < 10) return rest ? t('comments.span.minutesSeconds', { m: minutes, s: rest }) : t('comments.span.minutes', { m: minutes })
  return minutes < 60 ? t('comments.span.minutes', { m: minutes }) : t('comments.span.hours', { h: Math.floor(minutes / 60) })
}

/** One reason in a few words, with what was found. A code of which nothing is known is of the word list. */
export function reasonText({ code, what }: CommentReason, { t, te }: Words): string {
  const key = te(`comments.reason.${code}`) ? code : code.startsWith('word_') ? 'word' : code.startsWith('contact_') ? 'contact' : 'other'
  const words = t(`comments.reason.${key}`)
  return what && key !== 'contact' && code !== 'new_nickname' ? t('comments.found', { reason: words, what: [...what].slice(0, 12).join('') }) : words
}

/** Reasons without those that say the same. */
export function reasonTexts(reasons: readonly CommentReason[], words: Words): string[] {
  return [...new Set(reasons.map((each) => reasonText(each, words)))]
}

export interface TextPart {
  text: string
  found: boolean
}

/** The text in pieces, those that the filter found marked. Places are counted in characters, not in UTF-16 units. */
export function markedText(comment: Pick<ModeratedComment, 'text' | 'reasons'>): TextPart[] {
  const signs = [...comment.text]
  const found = comment.reasons.filter(({ field, code, start, end }) => field === 'text' && end > start && end <= signs.length && code !== 'signs_only')
  const parts: TextPart[] = []
  for (const [at, sign] of signs.entries()) {
    const hit = found.some(({ start, end }) => start <= at && at < end)
    const last = parts.at(-1)
    if (last?.found === hit) last.text += sign
    else parts.push({ text: sign, found: hit })
  }
  return parts
}

export const authorText = (comment: Pick<ModeratedComment, 'nickname' | 'region' | 'identity'>, t: Translate): string =>
  [comment.nickname || t('comments.anonymous'), comment.region ?? '', comment.identity ? t(`comments.identity.${comment.identity}`) : ''].filter(Boolean).join(t('common.separator'))
