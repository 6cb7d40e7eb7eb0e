/** Everybody's links with their QR codes, fetched when they are to be shown or printed. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { guests, type LinkPage, type PersonalLink } from '@/api/guests'
import { useActs, type Done } from './acts'
import { useSession } from './session'

export const useLinks = defineStore('links', () => {
  const acts = useActs()
  const session = useSession()
  const items = shallowRef<PersonalLink[]>([])
  const loading = ref(false)

  let running: Promise<boolean> | null = null

  /** All pages; false when one did not come. Who asks while they are on their way waits for the same ones. */
  function load(): Promise<boolean> {
    running ??= fetchAll().finally(() => (running = null))
    return running
  }

  async function fetchAll(): Promise<boolean> {
    loading.value = true
    const all: PersonalLink[] = []
    let after: string | null = null
    let whole = true
    do {
      const from: string | null = after
      const done: Done<LinkPage> = await acts.run((http) => guests(http, session.cid).links(from), { quiet: true })
      whole = done !== null
      if (!done) break
      all.push(...done.value.items)
      after = done.value.next
    } while (after)
    loading.value = false
    if (whole) items.value = all
    return whole
  }

  const people = computed(() => items.value.filter((each) => each.kind === 'invitee'))
  const operators = computed(() => items.value.filter((each) => each.kind === 'venue'))
  const table = (name: string): Promise<void> => acts.download(name, (http) => guests(http, session.cid).linkTable())

  return { items, people, operators, loading, load, table }
})
