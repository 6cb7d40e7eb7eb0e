/** What holds in all consultations of one body, as the administrator who is logged in changes it. */
import { defineStore } from 'pinia'
import { ref, shallowRef, watch } from 'vue'
import { bodyLists, type Template } from '@/api/body-lists'
import { Http, ProblemError, save } from '@/api/http'
import type { Word } from '@/api/moderation'
import type { Term } from '@/api/transcript'
import { i18n } from '@/i18n'
import type { Done } from './acts'
import { problemWords } from './administration'
import { editableList, withTables } from './editable-list'
import { useNotices } from './notices'
import { useStaff } from './staff'
import { sameTerm } from './transcript-terms'
import { sameWord } from './word-list'

const REASONS: readonly unknown[] = ['not_docx', 'too_large', 'unsafe', 'wrong_words', 'too_slow']

/** Why a template was not taken, with what is wrong in it where that can be said. */
export function refusalWords(error: unknown): string {
  if (!(error instanceof ProblemError) || error.code !== 'template_refused') return problemWords(error)
  const { reason, said } = error.more
  const why = i18n.global.t(`admin.words.refused.${REASONS.includes(reason) ? String(reason) : 'other'}`)
  return typeof said === 'string' && said ? `${why}（${said}）` : why
}

export const useBodyLists = defineStore('body-lists', () => {
  const { t } = i18n.global
  const staff = useStaff()
  const notices = useNotices()
  /** whose lists these are */
  const body = ref('')
  const state = ref<'reading' | 'ready' | 'failed'>('reading')
  const template = shallowRef<Template | null>(null)
  const busy = ref(false)
  const problem = ref('')

  async function run<R>(act: (http: Http) => Promise<R>): Promise<Done<R>> {
    try {
      const done = await staff.attempt(async (token) => ({ value: await act(new Http(token)) }))
      return done ?? null
    } catch (error) {
      notices.show(problemWords(error))
      return null
    }
  }

  const words = editableList<Word>({
    run,
    read: (http) => bodyLists(http, body.value).words(),
    write: (http, items, revision) => bodyLists(http, body.value).setWords(items, revision ?? 0),
    same: sameWord,
  })
  const termList = editableList<Term>({
    run,
    read: (http) => bodyLists(http, body.value).terms(),
    write: (http, items, revision) => bodyLists(http, body.value).setTerms(items, revision ?? 0),
    same: sameTerm,
  })
  const terms = withTables(termList, run, (http, file) => bodyLists(http, body.value).importTerms(file))

  async function load(): Promise<void> {
    const oid = body.value
    if (!oid) return
    state.value = 'reading'
    problem.value = ''
    words.items.value = terms.items.value = template.value = null
    try {
      const read = await staff.attempt((token) => {
        const lists = bodyLists(new Http(token), oid)
        return Promise.all([lists.words(), lists.terms(), lists.template()])
      })
      if (!read || body.value !== oid) return
      const [{ items }, { items: written }, layout] = read
      words.items.value = items
      terms.items.value = written
      template.value = layout
      state.value = 'ready'
    } catch {
      if (body.value === oid) state.value = 'failed'
    }
  }
  watch(body, () => void load())

  /** A refusal stays beside the button, for it says what to mend in the file. */
  async function setTemplate(file: File): Promise<void> {
    if (busy.value) return
    busy.value = true
    problem.value = ''
    try {
      const put = await staff.attempt((token) => bodyLists(new Http(token), body.value).setTemplate(file))
      if (put) {
        template.value = put
        notices.show(t('admin.words.templateSet', { name: put.name }))
      }
    } catch (error) {
      problem.value = refusalWords(error)
    } finally {
      busy.value = false
    }
  }

  async function removeTemplate(): Promise<void> {
    if (busy.value) return
    busy.value = true
    const done = await run((http) => bodyLists(http, body.value).removeTemplate())
    busy.value = false
    if (done) {
      template.value = null
      notices.show(t('admin.words.templateRemoved'))
    }
  }

  async function download(name: string, sample: boolean): Promise<void> {
    const done = await run((http) => (sample ? bodyLists(http, body.value).sampleTemplate() : bodyLists(http, body.value).templateFile()))
    if (done) save(done.value, name)
  }

  return { body, state, words, terms, template, busy, problem, load, setTemplate, removeTemplate, download }
})
