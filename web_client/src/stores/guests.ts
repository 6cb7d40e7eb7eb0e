/** Venues and invitees of the consultation, and the list of names that is being imported. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { RequestError } from '@/api/room-socket'
import { guests, type Guests, type Invitee, type InviteeDraft, type PendingImport, type RowFix, type Venue, type VenueDraft } from '@/api/guests'
import { useActs, type Done } from './acts'
import { useNotices } from './notices'
import { usePreparing } from './preparing'
import { useSession } from './session'

const PAGE = 50

export const useGuests = defineStore('guests', () => {
  const acts = useActs()
  const notices = useNotices()
  const prepared = usePreparing()
  const session = useSession()
  const venues = shallowRef<Venue[]>([])
  const invitees = shallowRef<Invitee[]>([])
  const total = ref(0)
  const next = ref<string | null>(null)
  const query = ref('')
  const loading = ref(false)
  const pending = shallowRef<PendingImport | null>(null)
  /** a file that could not be read, and why */
  const unread = ref<{ name: string; code: string } | null>(null)
  const reading = ref(false)
  /** a row of the import, or the whole, is on its way */
  const mending = ref(false)
  /** one more with each change of who is invited or where */
  const changes = ref(0)
  let asked = 0

  const api = <T>(act: (api: Guests) => Promise<T>, quiet = false): Promise<Done<T>> => acts.run((http) => act(guests(http, session.cid)), { quiet })

  async function load(): Promise<void> {
    await Promise.all([loadVenues(), search(query.value), loadPending()])
  }

  async function loadVenues(): Promise<void> {
    const done = await api((all) => all.venues(), true)
    if (done) venues.value = done.value.items
  }

  /** The first page of those whose name, title or sector has the words in it. */
  async function search(words: string): Promise<void> {
    query.value = words
    const turn = (asked += 1)
    loading.value = true
    const done = await api((all) => all.invitees({ limit: PAGE, q: words.trim() }), true)
    // An answer to older words that came late is of no use.
    if (turn !== asked) return
    loading.value = false
    if (!done) return
    invitees.value = done.value.items
    next.value = done.value.next
    if (!words.trim()) total.value = done.value.total
  }

  async function more(): Promise<void> {
    if (!next.value || loading.value) return
    const turn = asked
    loading.value = true
    const done = await api((all) => all.invitees({ limit: PAGE, after: next.value, q: query.value.trim() }))
    loading.value = false
    if (!done || turn !== asked) return
    invitees.value = [...invitees.value, ...done.value.items]
    next.value = done.value.next
  }

  async function loadPending(): Promise<void> {
    try {
      pending.value = await acts.ask((http) => guests(http, session.cid).pending())
    } catch (error) {
      if (error instanceof RequestError && error.code === 'not_found') pending.value = null
    }
  }

  function changed(): void {
    changes.value += 1
    prepared.changed()
  }

  async function keepVenue(id: string | null, draft: VenueDraft): Promise<boolean> {
    const done = await api((all) => (id ? all.editVenue(id, draft) : all.addVenue(draft)))
    if (!done) return false
    venues.value = id ? venues.value.map((each) => (each.id === id ? done.value : each)) : [...venues.value, done.value]
    changed()
    // A venue's name stands in the rows of those who sit there, and of those to be imported.
    if (invitees.value.some((each) => each.venue_id === id && id !== null)) await search(query.value)
    if (pending.value) await loadPending()
    return true
  }

  async function removeVenue(venue: Venue): Promise<boolean> {
    if (!(await api((all) => all.removeVenue(venue.id)))) return false
    venues.value = venues.value.filter((each) => each.id !== venue.id)
    changed()
    return true
  }

  async function newEntryCode(venue: Venue): Promise<boolean> {
    const done = await api((all) => all.newEntryCode(venue.id))
    if (done) venues.value = venues.value.map((each) => (each.id === venue.id ? done.value : each))
    return done !== null
  }

  async function newVenueLink(venue: Venue): Promise<boolean> {
    const done = await api((all) => all.newVenueLink(venue.id))
    if (done) venues.value = venues.value.map((each) => (each.id === venue.id ? done.value : each))
    return done !== null
  }

  async function keepInvitee(id: string | null, draft: Partial<InviteeDraft> & { excused?: boolean }): Promise<boolean> {
    const done = await api((all) => (id ? all.editInvitee(id, draft) : all.addInvitee(draft as InviteeDraft)))
    if (!done) return false
    if (id) put(done.value)
    else await search('')
    changed()
    return true
  }

  async function newInviteeLink(invitee: Invitee): Promise<boolean> {
    const done = await api((all) => all.newInviteeLink(invitee.id))
    if (done) put(done.value)
    return done !== null
  }

  async function removeInvitee(invitee: Invitee): Promise<boolean> {
    if (!(await api((all) => all.removeInvitee(invitee.id)))) return false
    invitees.value = invitees.value.filter((each) => each.id !== invitee.id)
    total.value -= 1
    changed()
    return true
  }

  function put(invitee: Invitee): void {
    invitees.value = invitees.value.map((each) => (each.id === invitee.id ? invitee : each))
  }

  async function read(file: File): Promise<void> {
    reading.value = true
    unread.value = null
    try {
      pending.value = await acts.ask((http) => guests(http, session.cid).read(file))
      changed()
    } catch (error) {
      const code = error instanceof RequestError ? error.code : ''
      if (code.startsWith('import_') || code === 'too_large') unread.value = { name: file.name, code }
      else notices.show(acts.sentence(error))
    }
    reading.value = false
  }

  async function mend(fixes: RowFix[]): Promise<boolean> {
    mending.value = true
    const done = await api((all) => all.mend(fixes))
    mending.value = false
    if (done) pending.value = done.value
    changed()
    return done !== null
  }

  /** Adds the good rows; gives how many. */
  async function apply(): Promise<number | null> {
    mending.value = true
    const done = await api((all) => all.apply())
    mending.value = false
    if (!done) return null
    await Promise.all([loadPending(), search('')])
    changed()
    return done.value.added
  }

  async function drop(): Promise<void> {
    if (!(await api((all) => all.drop()))) return
    pending.value = null
    changed()
  }

  const template = (name: string): Promise<void> => acts.download(name, (http) => guests(http, session.cid).template())
  const marked = (name: string): Promise<void> => acts.download(name, (http) => guests(http, session.cid).marked())
  const bad = computed(() => pending.value?.counts.bad ?? 0)

  return {
    venues,
    invitees,
    total,
    next,
    query,
    loading,
    pending,
    unread,
    reading,
    mending,
    bad,
    changes,
    load,
    loadVenues,
    search,
    more,
    keepVenue,
    removeVenue,
    newEntryCode,
    newVenueLink,
    keepInvitee,
    newInviteeLink,
    removeInvitee,
    read,
    mend,
    apply,
    drop,
    template,
    marked,
  }
})
