/** The list of terms of this consultation: how names, places and words of policy are written. */
import { defineStore } from 'pinia'
import { transcripts, type Term } from '@/api/transcript'
import { useActs } from './acts'
import { editableList } from './editable-list'
import { useSession } from './session'

export const sameTerm = (one: Term, two: Term): boolean => (one.wrong || two.wrong ? one.wrong === two.wrong : one.right === two.right)

export const useTranscriptTerms = defineStore('transcript-terms', () => {
  const acts = useActs()
  const session = useSession()
  const list = editableList<Term>({
    run: acts.run,
    read: (http) => transcripts(http, session.cid).terms(),
    write: (http, items, revision) => transcripts(http, session.cid).setTerms(items, revision ?? 0),
    same: sameTerm,
  })

  async function take(file: File): Promise<boolean> {
    if (list.busy.value) return false
    list.busy.value = true
    const done = await acts.run((http) => transcripts(http, session.cid).importTerms(file))
    list.busy.value = false
    if (done) await list.load()
    return done !== null
  }

  return { ...list, take }
})
