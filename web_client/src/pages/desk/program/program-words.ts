/** The program in words: what is on the picture, why there is none, and what is left out to keep up. */
import type { Program } from '@/api/messages'

interface Words {
  t: (key: string, values?: Record<string, unknown>) => string
  te: (key: string) => boolean
}

const said = (key: string, { t, te }: Words): string => (te(key) ? t(key) : '')

export function shownWords(program: Program, nameOf: (id: string) => string | null, words: Words): string {
  const { t } = words
  if (program.state !== 'on' || program.layout === null) return said(`program.state.${program.state}`, words)
  const layout = said(`program.layout.${program.layout}`, words)
  const names = program.people.map(nameOf).filter((name): name is string => name !== null)
  return t('program.shows', { what: names.length ? t('program.of', { layout, names: names.join(t('common.list')) }) : layout })
}

export const troubleWords = (reason: string | null, words: Words): string => said(`program.reason.${reason ?? ''}`, words) || words.t('program.state.trouble')

/** Empty when nothing is left out. */
export const loadWords = (level: number, words: Words): string => (level > 0 ? said(`program.load.${Math.min(5, level)}`, words) : '')
