/** A line of the trace in words: who, what, about what. */
import type { TraceLine } from '@/api/trace'
import { clockText } from '@/stores/program-clock'

export interface Words {
  t: (key: string, values?: Record<string, unknown>) => string
  te: (key: string) => boolean
}

/** every action that may stand in a consultation's chain, in the order of the filter */
export function actionWords(action: string, { t, te }: Words): string {
  const key = `trace.action.${action}`
  return te(key) ? t(key) : action
}

/** A field of a line's content, and what stands in it; codes that have no words stay what they are. */
export function fieldWords(field: string, said: unknown, people: ReadonlyMap<string, string>, { t, te }: Words): [string, string] {
  const key = `trace.field.${field}`
  const value = typeof said === 'string' ? said : JSON.stringify(said)
  const role = field.endsWith('role') && te(`role.${value}`) ? t(`role.${value}`) : null
  return [te(key) ? t(key) : field, role ?? people.get(value) ?? value]
}

export function actorWords(line: TraceLine, people: ReadonlyMap<string, string>, { t, te }: Words): { name: string; role: string } {
  const name = line.names.by_name ?? (line.actor_id ? people.get(line.actor_id) : undefined)
  const code = typeof line.content.by_role === 'string' ? line.content.by_role : ''
  const role = code && te(`role.${code}`) ? t(`role.${code}`) : ''
  return { name: name ?? t(`trace.actor.${line.actor_kind}`), role: name ? role : '' }
}

/** What it was about: a name, a title, a reason, what changed from what to what. */
export function subjectWords(line: TraceLine, people: ReadonlyMap<string, string>, words: Words): string {
  const { t, te } = words
  const { content, names } = line
  const parts: string[] = []
  const named = names.name ?? (line.subject ? people.get(line.subject) : undefined)
  if (named) parts.push(named)
  for (const field of ['title', 'reason', 'venue', 'file_name'] as const) {
    const value = content[field]
    if (typeof value === 'string' && value) parts.push(field === 'reason' && te(`trace.reason.${value}`) ? t(`trace.reason.${value}`) : value)
  }
  // What somebody wrote stands with the names, because it may have to be deleted.
  if (names.reason) parts.push(names.reason)
  const { from_ms: from, to_ms: to } = content
  if (line.action.startsWith('broadcast.') && typeof from === 'number') {
    parts.push(typeof to === 'number' ? t('broadcast.span', { from: clockText(from), to: clockText(to) }) : t('broadcast.fromOn', { from: clockText(from) }))
  }
  if (line.action === 'program.directed') {
    for (const key of [`program.${String(content.mode)}`, `program.layout.${String(content.layout)}`]) if (te(key)) parts.push(t(key))
    if (Array.isArray(content.people)) parts.push(...content.people.map((id) => people.get(String(id)) ?? '').filter(Boolean))
  }
  if (line.action === 'program.captions_switched') parts.push(t(content.on === true ? 'captions.opened' : 'captions.closed'))
  const mode = content.mode
  if (line.action === 'floor.mode' && typeof mode === 'string' && te(`floor.mode.${mode}`)) parts.push(t(`floor.mode.${mode}`))
  const role = content.role
  if (named && typeof role === 'string' && te(`role.${role}`)) parts.push(t(`role.${role}`))
  if (Array.isArray(content.items)) parts.push(t('prepare.agendaCount', { n: content.items.length }))
  if (typeof content.count === 'number') parts.push(t('trace.count', { n: content.count }))
  return parts.join(t('common.separator'))
}
