/** The list of terms of this consultation: how names, places and words of policy are written. Each change is saved at once. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { transcripts, type Term } from '@/api/transcript'
import { RequestError } from '@/api/room-socket'
import { useActs } from './acts'
import { useSession } from './session'

/** while others change the same list */
const TRIES = 3

export const useTranscriptTerms = defineStore('transcript-terms', () => {
  const acts = useActs()
  const session = useSession()
  const items = shallowRef<readonly Term[] | null>(null)
  const busy = ref(false)

  const same = (one: Term, two: Term): boolean => (one.wrong || two.wrong ? one.wrong === two.wrong : one.right === two.right)

  async function load(): Promise<void> {
    const done = await acts.run((http) => transcripts(http, session.cid).terms())
    if (done) items.value = done.value.items
  }

  /** The list as it is now, changed: others may have edited it since it was read. */
  async function change(edit: (terms: readonly Term[]) => Term[]): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    const done = await acts.run(async (http) => {
      const api = transcripts(http, session.cid)
      for (let left = TRIES; ; left -= 1) {
        const seen = await api.terms()
        try {
          return await api.setTerms(edit(seen.items), seen.revision)
        } catch (error) {
          // Somebody was faster: the same change of what there is now.
          if (!(error instanceof RequestError) || error.code !== 'edit_conflict' || left <= 1) throw error
        }
      }
    })
    busy.value = false
    if (done) items.value = done.value.items
    return done !== null
  }

  const put = (term: Term): Promise<boolean> => change((terms) => [...terms.filter((each) => !same(each, term)), term])
  const remove = (term: Term): Promise<boolean> => change((terms) => terms.filter((each) => !same(each, term)))

  async function take(file: File): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    const done = await acts.run((http) => transcripts(http, session.cid).importTerms(file))
    busy.value = false
    if (done) await load()
    return done !== null
  }

  return { items, busy, load, put, remove, take }
})
