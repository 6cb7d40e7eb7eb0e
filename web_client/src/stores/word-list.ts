/** The words of this consultation that the filter looks for, beside its own and those of the body. */
import { defineStore } from 'pinia'
import { fetchWords, saveWords, type Word } from '@/api/moderation'
import { useActs } from './acts'
import { editableList } from './editable-list'
import { useSession } from './session'

export const sameWord = (one: Word, two: Word): boolean => one.text === two.text

export const useWordList = defineStore('word-list', () => {
  const acts = useActs()
  const session = useSession()
  return editableList<Word>({
    run: acts.run,
    read: async (http) => ({ items: await fetchWords(http, session.cid) }),
    write: async (http, items) => ({ items: await saveWords(http, session.cid, items) }),
    same: sameWord,
  })
})
