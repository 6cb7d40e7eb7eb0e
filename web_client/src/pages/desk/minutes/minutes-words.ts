/** The transcript and the minutes in words: gaps, what recognition is at, names of files. */
import type { CaptionState, Gap, TranscriptState } from '@/api/transcript'

interface Words {
  t: (key: string, values?: Record<string, unknown>) => string
  te: (key: string) => boolean
}

export function gapLength(gap: Pick<Gap, 'from_ms' | 'to_ms'>, t: Words['t']): string {
  const seconds = Math.max(1, Math.round((gap.to_ms - gap.from_ms) / 1000))
  if (seconds < 60) return t('minutes.gap.seconds', { n: seconds })
  const rest = seconds % 60
  return rest ? t('minutes.gap.minutesSeconds', { n: Math.floor(seconds / 60), rest }) : t('minutes.gap.minutes', { n: seconds / 60 })
}

/** Why there is no text there, and what may be done about it. */
export function gapWords(gap: Gap, { t, te }: Words): string {
  if (gap.state === 'waived') return gap.note || t('minutes.gap.waived')
  const reason = `minutes.gap.reason.${gap.reason}`
  return t(gap.state !== 'running' && te(reason) ? reason : `minutes.gap.${gap.state}Text`)
}

/** What hinders recognition, most important first; null when all is well. */
export function hindrance(state: TranscriptState | null, live: boolean): { tone: 'warn' | 'pri'; key: string } | null {
  if (!state) return null
  const reason = state.model.reason
  if (!state.model.engine || reason) {
    const known = ['no_model', 'model_broken', 'wrong_rate', 'engine_missing']
    return { tone: 'warn', key: known.includes(reason) ? reason : reason === 'worker_ended' ? 'trouble' : 'no_model' }
  }
  const told: Partial<Record<CaptionState, string>> = { late: 'late', trouble: 'trouble', paused: 'paused', off: 'off' }
  const key = live ? told[state.state] : undefined
  return key ? { tone: key === 'off' ? 'pri' : 'warn', key } : null
}

const NOT_IN_NAMES = /[\p{Cc}"*/:<>?\\|]+/gu

/** 推进县域养老服务高质量发展-会议纪要.docx */
export const fileName = (title: string, what: string, ending: string): string => `${title.replace(NOT_IN_NAMES, '_').trim() || what}-${what}.${ending}`
