/** Who may have spoken: those whom the transcript names, in the order of how much they said, then everybody who is invited. */
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import type { Role } from '@/api/messages'
import { guests, type Invitee, type InviteePage } from '@/api/guests'
import type { SpeakerChoice } from '@/api/transcript'
import { useActs } from './acts'
import { useRoom } from './room'
import { useSession } from './session'
import { useTranscript } from './transcript'

/** as many have a key of their own */
export const KEYED = 9
const PAGE = 200

export interface Speaker {
  key: string
  name: string
  role: Role
  /** where or what they are */
  place: string
  choice: SpeakerChoice
}

export const useTranscriptSpeakers = defineStore('transcript-speakers', () => {
  const acts = useActs()
  const room = useRoom()
  const session = useSession()
  const transcript = useTranscript()
  const invitees = shallowRef<readonly Invitee[]>([])

  async function load(): Promise<void> {
    if (!room.can('invitee.read') || invitees.value.length) return
    const found: Invitee[] = []
    let after: string | null = null
    do {
      const from: string | null = after
      const got: { value: InviteePage } | null = await acts.run((http) => guests(http, session.cid).invitees({ limit: PAGE, after: from }), { quiet: true })
      if (!got) return
      found.push(...got.value.items)
      after = got.value.next
    } while (after !== null)
    invitees.value = found
  }

  const speakers = computed<Speaker[]>(() => {
    const said = new Map<string, { speaker: Speaker; chars: number }>()
    for (const { speaker, participant_id, text } of transcript.segments) {
      if (!speaker.is_certain) continue
      const key = `${speaker.role} ${speaker.name}`
      const known = said.get(key)
      if (known) known.chars += text.length
      else said.set(key, { speaker: { key, name: speaker.name, role: speaker.role, place: speaker.title ?? speaker.venue ?? '', choice: { participant_id } }, chars: text.length })
    }
    const found = [...said.values()].sort((one, two) => two.chars - one.chars).map((each) => each.speaker)
    const listed = new Map(invitees.value.map((each) => [`${each.role} ${each.name}`, each]))
    // Whose track it was is not always who spoke: where somebody is on the list, the list says who that is.
    for (const each of found) {
      const invited = listed.get(each.key)
      each.choice = invited ? { invitee_id: invited.id } : { name: each.name, role: each.role }
    }
    const there = new Set(found.map((each) => each.key))
    for (const each of invitees.value) {
      const key = `${each.role} ${each.name}`
      if (!there.has(key)) found.push({ key, name: each.name, role: each.role, place: each.title || each.sector, choice: { invitee_id: each.id } })
    }
    return found
  })

  return { speakers, load }
})
