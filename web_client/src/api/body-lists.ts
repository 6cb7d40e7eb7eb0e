/** What holds in all consultations of a body: words that the filter looks for, terms, the template of its minutes. */
import type { Http } from './http'
import type { Word } from './moderation'
import type { Term, TermList } from './transcript'

export interface Template {
  name: string
  size_bytes: number
  added_by: string
  added_at_ms: number
}

interface WordList {
  items: Word[]
  revision: number
}

export const bodyLists = (http: Http, oid: string) => {
  const path = `/organizations/${encodeURIComponent(oid)}`
  return {
    words: () => http.get<WordList>(`${path}/words`),
    setWords: (items: readonly Word[], revision: number) => http.send<WordList>('PUT', `${path}/words`, { items, revision }),
    terms: () => http.get<TermList>(`${path}/terms`),
    setTerms: (items: readonly Term[], revision: number) => http.send<TermList>('PUT', `${path}/terms`, { items, revision }),
    importTerms: (file: File) => http.upload<unknown>(`${path}/terms/import`, file, { name: file.name }),
    /** null where it uses the built-in layout */
    template: async (): Promise<Template | null> => (await http.get<Template | undefined>(`${path}/minutes-template`)) ?? null,
    setTemplate: (file: File) => http.upload<Template>(`${path}/minutes-template`, file, { name: file.name }, 'PUT'),
    removeTemplate: () => http.send<undefined>('DELETE', `${path}/minutes-template`),
    templateFile: () => http.download(`${path}/minutes-template/file`),
    sampleTemplate: () => http.download(`${path}/minutes-template/sample`),
  }
}
