/** What desk and venues write to each other, by venue: what is here, what is on its way, and what is older. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { VenueMessage } from '@/api/messages'
import { venueBoard } from '@/api/venue-board'
import { i18n } from '@/i18n'
import { useActs } from './acts'
import { useLine } from './line'
import { useNotices } from './notices'
import { usePlace } from './place'
import { useRoom } from './room'
import { useSession } from './session'
import { useVenueBoard } from './venue-board'

export const LONGEST = 500

export interface Unsent {
  key: string
  venueId: string
  text: string
  /** it was tried and did not go */
  stuck: boolean
}

export const useVenueTalk = defineStore('venue-talk', () => {
  const { t } = i18n.global
  const acts = useActs()
  const board = useVenueBoard()
  const notices = useNotices()
  const place = usePlace()
  const line = useLine()
  const room = useRoom()
  const session = useSession()
  const older = shallowRef(new Map<string, VenueMessage[]>())
  const whole = ref(new Set<string>())
  const unsent = ref<Unsent[]>([])
  /** what is being written, by venue: going from one to another loses nothing */
  const drafts = ref<Record<string, string>>({})
  const loading = ref(false)
  /** up to which message a venue's were looked at */
  const seen = ref(new Map<string, string>())

  const newest = computed(() => room.state?.venueMessages ?? [])
  const may = computed(() => room.can('venue.message'))

  function of(venueId: string): VenueMessage[] {
    const here = newest.value.filter((each) => each.venue_id === venueId)
    const known = new Set(here.map((each) => each.id))
    return [...(older.value.get(venueId) ?? []).filter((each) => !known.has(each.id)), ...here]
  }

  const waiting = (venueId: string): Unsent[] => unsent.value.filter((each) => each.venueId === venueId)
  const last = (venueId: string): VenueMessage | null => of(venueId).at(-1) ?? null

  /** An operator wrote, and nobody here has looked since. */
  function isNew(venueId: string): boolean {
    const message = last(venueId)
    return message !== null && message.from_venue && seen.value.get(venueId) !== message.id
  }

  function look(venueId: string): void {
    const message = last(venueId)
    if (message && seen.value.get(venueId) !== message.id) seen.value = new Map(seen.value).set(venueId, message.id)
  }

  /** What an operator wrote is said wherever on the desk one is, unless it stands before one's eyes. */
  function arrived(message: VenueMessage): void {
    if (!message.from_venue) return
    const words = t('board.talkNew', { name: message.venue, text: message.text })
    if (place.shown === 'venues' && board.chosen === message.venue_id) notices.say(words)
    else notices.show(words)
  }

  /** Whether it went; what did not stays below the others, to be sent again under the same key. */
  async function send(venueId: string, text: string): Promise<boolean> {
    const words = text.trim().slice(0, LONGEST)
    if (!words) return false
    const one: Unsent = { key: newKey(), venueId, text: words, stuck: false }
    unsent.value = [...unsent.value, one]
    return deliver(one)
  }

  async function deliver(one: Unsent): Promise<boolean> {
    mark(one.key, false)
    const done = await line.ask('venue.message', { venue_id: one.venueId, text: one.text, key: one.key })
    if (done) unsent.value = unsent.value.filter((each) => each.key !== one.key)
    else mark(one.key, true)
    return done !== null
  }

  function mark(key: string, stuck: boolean): void {
    unsent.value = unsent.value.map((each) => (each.key === key ? { ...each, stuck } : each))
  }

  const drop = (key: string): void => void (unsent.value = unsent.value.filter((each) => each.key !== key))

  async function earlier(venueId: string): Promise<void> {
    if (loading.value || whole.value.has(venueId)) return
    loading.value = true
    const before = of(venueId)[0]?.id ?? null
    const done = await acts.run((http) => venueBoard(http, session.cid).messages(venueId, before))
    loading.value = false
    if (!done) return
    older.value = new Map(older.value).set(venueId, [...done.value.items, ...(older.value.get(venueId) ?? [])])
    if (done.value.next === null) whole.value = new Set(whole.value).add(venueId)
  }

  /** There may be more than the snapshot has. */
  const hasEarlier = (venueId: string): boolean => newest.value.length >= 200 && !whole.value.has(venueId)

  return { may, drafts, loading, of, waiting, isNew, look, arrived, send, deliver, drop, earlier, hasEarlier }
})

function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
