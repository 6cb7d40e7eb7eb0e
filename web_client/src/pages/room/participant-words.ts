/** Who somebody is, in a few words. */
import type { Participant } from '@/api/messages'

type Translate = (key: string, values?: Record<string, unknown>) => string

type Named = Pick<Participant, 'name' | 'role' | 'venue' | 'title' | 'sector'> & { kind?: Participant['kind'] }

/** What the name plate says below the name: a member's sector, others' office or post, else the role. */
function standing(each: Named, t: Translate): string {
  if (each.kind === 'whip') return t('people.encoder')
  if (each.kind === 'clip') return t('clips.kind')
  if (each.kind === 'ingest' && each.venue) return t('cameras.participant')
  if (each.role === 'chair' || each.role === 'venue_operator') return t(`role.${each.role}`)
  const own = each.role === 'member' ? each.sector || each.title : each.title || each.sector
  return own || t(`role.${each.role}`)
}

const venueOf = (each: Named): string | null => (each.venue && each.venue !== each.name ? each.venue : null)

/** The sector or post where it is known, with the venue; else the venue, else the role. */
export function whereOf(each: Named, t: Translate): string {
  const venue = venueOf(each)
  if (each.kind === 'whip' || each.kind === 'ingest' || !(each.title || each.sector)) return venue ?? standing(each, t)
  return [standing(each, t), venue].filter(Boolean).join(t('common.separator'))
}

export function roleAndVenue(each: Named, t: Translate): string {
  return [standing(each, t), venueOf(each)].filter(Boolean).join(t('common.separator'))
}
