/** The list of terms of this consultation: how names, places and words of policy are written. */
import { defineStore } from 'pinia'
import { transcripts, type Term } from '@/api/transcript'
import { useActs } from './acts'
import { editableList, withTables } from './editable-list'
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

  return withTables(list, acts.run, (http, file) => transcripts(http, session.cid).importTerms(file))
})
