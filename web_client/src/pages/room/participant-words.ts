/** Who somebody is, in a few words. */
import type { Participant } from '@/api/messages'

type Translate = (key: string, values?: Record<string, unknown>) => string

/** Venue where there is one and it is not the name itself, else the role. */
export function whereOf(each: Participant, t: Translate): string {
  if (each.venue && each.venue !== each.name) return each.venue
  return each.kind === 'whip' ? t('people.encoder') : t(`role.${each.role}`)
}

export function roleAndVenue(each: Pick<Participant, 'name' | 'role' | 'venue'> & { kind?: Participant['kind'] }, t: Translate): string {
  const role = each.kind === 'whip' ? t('people.encoder') : t(`role.${each.role}`)
  return each.venue && each.venue !== each.name ? `${role}${t('common.separator')}${each.venue}` : role
}
