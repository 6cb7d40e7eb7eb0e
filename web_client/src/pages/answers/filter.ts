/** Which cases are shown. Pure. */
import type { PublicResponse } from '@/api/public-comments'

export type Shown = 'answered' | 'pending'

const folded = (text: string): string => text.normalize('NFKC').toLowerCase()

/** Answered or in hand; with words, those that hold each of them in question, answer, department or number. */
export function matching(items: readonly PublicResponse[], shown: Shown, words: string): PublicResponse[] {
  const wanted = folded(words).split(/\s+/).filter(Boolean)
  return items.filter((each) => {
    if ((each.state === 'pending') !== (shown === 'pending')) return false
    const text = folded([each.text, each.answer?.text, each.department, each.label, each.nickname, each.region].filter(Boolean).join('\n'))
    return wanted.every((word) => text.includes(word))
  })
}
