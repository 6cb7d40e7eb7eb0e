/** A recorded file in words: what it holds, how long and large it is, and its name on the disk of whoever takes it. */
import type { Export } from '@/api/exports'
import type { Recording } from '@/api/recordings'
import { clockText } from '@/stores/program-clock'

interface Words {
  t: (key: string, values?: Record<string, unknown>) => string
  te: (key: string) => boolean
}

export const PROGRAM = 'program'
const NOT_IN_NAMES = /[\p{Cc}"*/:<>?\\|]+/gu

export function sourceWords(source: string, { t, te }: Words): string {
  const key = `recordings.source.${source}`
  return te(key) ? t(key) : source
}

/** 画面（主席台）: with the name of the camera, where it has one of its own. */
export function whatWords({ source, label }: Pick<Recording, 'source' | 'label'>, words: Words): string {
  const what = sourceWords(source, words)
  return label ? words.t('recordings.labelled', { what, label }) : what
}

export function sizeWords(bytes: number, locale: string, t: Words['t']): string {
  const number = (value: number, digits: number): string => new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value)
  if (bytes < 1_000_000) return t('recordings.kilobytes', { n: Math.max(1, Math.round(bytes / 1000)) })
  if (bytes < 1_000_000_000) return t('recordings.megabytes', { n: number(bytes / 1_000_000, 1) })
  return t('recordings.gigabytes', { n: number(bytes / 1_000_000_000, 2) })
}

/** The first and the last eight signs: enough to compare by eye. */
export const shortHash = (sha256: string): string => `${sha256.slice(0, 8)}…${sha256.slice(-8)}`

/** Who, what, which camera, from when: 林委员-画面-00.12.05.webm, 青禾县分会场-画面-主席台-00.12.05.webm */
export function fileName(file: Recording, words: Words): string {
  const mp4 = file.codec !== 'opus' && file.codec !== 'vp8'
  const who = file.name.replace(NOT_IN_NAMES, '_').trim() || file.participant_id
  const at = clockText(file.started_at_ms).replaceAll(':', '.')
  const label = file.label.replace(NOT_IN_NAMES, '_').trim()
  return [...(file.source === PROGRAM ? [] : [who]), sourceWords(file.source, words), ...(label ? [label] : []), `${at}.${mp4 ? 'mp4' : 'webm'}`].join('-')
}

/** Whose or what, as what: 林委员-声音.m4a */
export function exportName(each: Export, t: Words['t']): string {
  const what = each.kind === 'person' && each.media_type.startsWith('audio/') ? 'voice' : each.kind
  return `${each.title.replace(NOT_IN_NAMES, '_').trim() || each.id}-${t(`exports.what.${what}`)}.${each.media_type.startsWith('audio/') ? 'm4a' : 'mp4'}`
}
