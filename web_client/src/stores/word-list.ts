/** The words of this consultation that the filter looks for, beside its own: each change is saved at once. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { fetchWords, saveWords, type Word } from '@/api/moderation'
import { useActs } from './acts'
import { useSession } from './session'

export const useWordList = defineStore('word-list', () => {
  const acts = useActs()
  const session = useSession()
  const items = shallowRef<readonly Word[] | null>(null)
  const busy = ref(false)

  async function load(): Promise<void> {
    const done = await acts.run((http) => fetchWords(http, session.cid))
    if (done) items.value = done.value
  }

  /** The list as it is now, changed: others may have edited it since it was read. */
  async function change(edit: (words: readonly Word[]) => Word[]): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    const done = await acts.run(async (http) => saveWords(http, session.cid, edit(await fetchWords(http, session.cid))))
    busy.value = false
    if (done) items.value = done.value
    return done !== null
  }

  const put = (word: Word): Promise<boolean> => change((words) => [...words.filter((each) => each.text !== word.text), word])
  const remove = (text: string): Promise<boolean> => change((words) => words.filter((each) => each.text !== text))

  return { items, busy, load, put, remove }
})
