/** What the desk asks over HTTP: with the token of the page, and with a refusal said in words. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { Http, save } from '@/api/http'
import { RequestError } from '@/api/room-socket'
import { i18n } from '@/i18n'
import { useAccess } from './access'
import { useNotices } from './notices'
import { useSession } from './session'

export type Done<T> = { value: T } | null

/** A reload that the next event repeats anyway needs no words when it fails. */
interface Options {
  quiet?: boolean
}

export const useActs = defineStore('acts', () => {
  const { t, te } = i18n.global
  const access = useAccess()
  const notices = useNotices()
  const session = useSession()
  /** what is on its way to the downloads, by name */
  const fetching = ref<string | null>(null)

  async function ask<T>(act: (http: Http) => Promise<T>): Promise<T> {
    try {
      return await act(new Http(session.token))
    } catch (error) {
      if (!(error instanceof RequestError) || !error.code.startsWith('token_') || !(await access.renew())) throw error
      return act(new Http(session.token))
    }
  }

  /** null after a refusal */
  async function run<T>(act: (http: Http) => Promise<T>, { quiet = false }: Options = {}): Promise<Done<T>> {
    try {
      return { value: await ask(act) }
    } catch (error) {
      if (!quiet) notices.show(sentence(error))
      return null
    }
  }

  function sentence(error: unknown): string {
    const code = error instanceof RequestError ? error.code : ''
    return te(`problems.${code}`, 'zh-CN') ? t(`problems.${code}`) : t('toast.failed')
  }

  async function download(name: string, act: (http: Http) => Promise<Blob>): Promise<void> {
    if (fetching.value) return
    fetching.value = name
    const done = await run(act)
    fetching.value = null
    if (done) save(done.value, name)
  }

  async function copy(text: string, said: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(text)
      notices.show(said)
    } catch {
      notices.show(t('links.copyFailed'), { detail: text, forMs: 20_000 })
    }
  }

  return { fetching, ask, run, sentence, download, copy }
})
