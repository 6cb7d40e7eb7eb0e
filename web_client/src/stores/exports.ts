/** Files made from the recordings: what was asked for, how far it is, and taking it away. Followed closely while something is being made. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { exporting, type Export, type ExportWish } from '@/api/exports'
import { useActs } from './acts'
import { useFetching } from './fetching'
import { useSession } from './session'

const PAGE = 200
const FOLLOW_MS = 2000
/** The program's file begins by itself some time after the end. */
const LOOK_MS = 10_000

export const useExports = defineStore('exports', () => {
  const acts = useActs()
  const fetching = useFetching()
  const session = useSession()
  const items = shallowRef<Export[]>([])
  const loaded = ref(false)
  const busy = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  let followed = false

  const open = computed(() => items.value.some((each) => each.state === 'queued' || each.state === 'running'))

  async function load(): Promise<void> {
    clearTimeout(timer)
    const got = await acts.run((http) => exporting(http, session.cid).page(PAGE, null), { quiet: true })
    if (got) {
      items.value = got.value.items
      loaded.value = true
    }
    clearTimeout(timer)
    if (followed) timer = setTimeout(() => void load(), open.value ? FOLLOW_MS : LOOK_MS)
  }

  function start(): void {
    followed = true
    void load()
  }

  function stop(): void {
    followed = false
    clearTimeout(timer)
  }

  /** Nothing is made twice: the same one may come back. */
  async function make(wish: ExportWish): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    const done = await acts.run((http) => exporting(http, session.cid).make(wish))
    busy.value = false
    if (done) await load()
    return done !== null
  }

  async function remove(each: Export): Promise<boolean> {
    const done = await acts.run((http) => exporting(http, session.cid).remove(each.id))
    if (done) items.value = items.value.filter((one) => one.id !== each.id)
    return done !== null
  }

  const take = (each: Export, name: string): Promise<void> =>
    fetching.fetchFile(each.id, name, each.media_type, each.size_bytes, (http, from, to, stop) => exporting(http, session.cid).piece(each.id, from, to, stop))

  return { items, loaded, busy, open, load, start, stop, make, remove, take }
})
