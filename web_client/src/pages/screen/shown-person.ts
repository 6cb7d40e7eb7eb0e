/** Whom a big screen shows where no program is made: a shared screen, who has the floor, who speaks, the main hall. Pure. */
import type { Participant, Publication } from '@/api/messages'
import { isVenue } from '@/stores/room'

export interface ShownPerson {
  participant: Participant
  /** null: there is nothing but the name */
  publication: Publication | null
}

const picture = (each: Participant, source: 'camera' | 'screen'): Publication | null => {
  const found = each.publications.filter((one) => one.kind === 'video' && one.source === source)
  return found.find((one) => one.main) ?? found[0] ?? null
}

const camera = (each: Participant): Publication | null => (each.camera ? picture(each, 'camera') : null)

/** Who has no camera is seen in the picture of their hall. */
function seen(each: Participant, all: readonly Participant[]): ShownPerson {
  const own = camera(each)
  const hall = each.venue === null || own ? null : (all.find((one) => isVenue(one) && one.venue === each.venue && camera(one)) ?? null)
  return { participant: each, publication: own ?? (hall ? camera(hall) : null) }
}

export function shownPerson(all: readonly Participant[], holderId: string | null, speakerId: string | null): ShownPerson | null {
  const sharer = all.find((each) => picture(each, 'screen'))
  if (sharer) return { participant: sharer, publication: picture(sharer, 'screen') }
  const by = (id: string | null): Participant | undefined => all.find((each) => each.id === id)
  const chosen = by(holderId) ?? by(speakerId) ?? all.find((each) => isVenue(each) && camera(each)) ?? all.find(camera) ?? all[0]
  return chosen ? seen(chosen, all) : null
}
