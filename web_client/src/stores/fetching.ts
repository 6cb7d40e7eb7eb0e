/** Large files on their way to the downloads: in pieces, so that a line that breaks costs one piece and not the whole. */
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { save, type Http } from '@/api/http'
import { RequestError } from '@/api/room-socket'
import { useActs } from './acts'
import { useNotices } from './notices'

export const PIECE_BYTES = 8 * 1024 * 1024
const RETRY_MS = 3000
/** Refusals that pass by themselves. */
const PASSING = new Set(['offline', 'rate_limited', 'storage_unavailable', 'internal'])

export interface Fetched {
  /** 0 to 1 */
  part: number
  /** the line is down; it goes on when it is back */
  waiting: boolean
}
type AskPiece = (http: Http, from: number, to: number, stop: AbortSignal) => Promise<Blob>

export const useFetching = defineStore('fetching', () => {
  const acts = useActs()
  const notices = useNotices()
  /** by id of the file */
  const files = ref(new Map<string, Fetched>())
  const stops = new Map<string, AbortController>()

  async function fetchFile(id: string, name: string, type: string, size: number, ask: AskPiece): Promise<void> {
    if (files.value.has(id)) return
    const stop = new AbortController()
    stops.set(id, stop)
    files.value.set(id, { part: 0, waiting: false })
    const pieces: Blob[] = []
    try {
      for (let from = 0; from < size; from += PIECE_BYTES) {
        pieces.push(await piece(id, from, Math.min(size, from + PIECE_BYTES), ask, stop.signal))
        files.value.set(id, { part: Math.min(1, (from + PIECE_BYTES) / size), waiting: false })
      }
      save(new Blob(pieces, { type }), name)
    } catch (error) {
      if (!stop.signal.aborted) notices.show(acts.sentence(error))
    } finally {
      files.value.delete(id)
      stops.delete(id)
    }
  }

  /** Asked for again until it comes, is refused or is not wanted any more. */
  async function piece(id: string, from: number, to: number, ask: AskPiece, stop: AbortSignal): Promise<Blob> {
    for (;;) {
      try {
        return await acts.ask((http) => ask(http, from, to, stop))
      } catch (error) {
        if (stop.aborted || !(error instanceof RequestError) || !PASSING.has(error.code)) throw error
        const now = files.value.get(id)
        if (now) files.value.set(id, { ...now, waiting: true })
        await pause(stop)
      }
    }
  }

  /** Until the next try, or until it is not wanted any more. */
  function pause(stop: AbortSignal): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(done, RETRY_MS)
      stop.addEventListener('abort', () => {
        clearTimeout(timer)
        done()
      })
    })
  }

  const cancel = (id: string): void => stops.get(id)?.abort()

  return { files, fetchFile, cancel }
})
