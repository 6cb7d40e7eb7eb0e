/** What was recorded, by its beginning: the list page by page, kept as it is while a newer one is on its way. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { recordings, type Recording } from '@/api/recordings'
import { useActs } from './acts'
import { useFetching } from './fetching'
import { useSession } from './session'

const PAGE = 100
const TYPES: Record<string, string> = { opus: 'audio/webm', vp8: 'video/webm' }

export const useRecordings = defineStore('recordings', () => {
  const acts = useActs()
  const fetching = useFetching()
  const session = useSession()
  const files = shallowRef<Recording[]>([])
  const next = ref<string | null>(null)
  const loading = ref(false)
  const loaded = ref(false)
  const failed = ref(false)
  let asked = 0

  const page = (limit: number, after: string | null) => acts.run((http) => recordings(http, session.cid).page(limit, after), { quiet: true })

  /** As many as are shown now are asked for again. */
  async function load(): Promise<void> {
    const turn = (asked += 1)
    const wanted = Math.max(PAGE, files.value.length)
    const found: Recording[] = []
    let after: string | null = null
    loading.value = true
    do {
      const got = await page(PAGE, after)
      if (turn !== asked) return
      if (!got) {
        loading.value = false
        failed.value = true
        return
      }
      found.push(...got.value.items)
      after = got.value.next
    } while (after !== null && found.length < wanted)
    files.value = found
    next.value = after
    loading.value = failed.value = false
    loaded.value = true
  }

  async function more(): Promise<void> {
    if (next.value === null || loading.value) return
    const turn = asked
    loading.value = true
    const got = await page(PAGE, next.value)
    if (turn !== asked) return
    loading.value = false
    failed.value = got === null
    if (!got) return
    files.value = [...files.value, ...got.value.items]
    next.value = got.value.next
  }

  /** For good. */
  async function remove(file: Recording): Promise<boolean> {
    const done = await acts.run((http) => recordings(http, session.cid).remove(file.id))
    if (done) files.value = files.value.filter((each) => each.id !== file.id)
    return done !== null
  }

  const take = (file: Recording, name: string): Promise<void> =>
    fetching.fetchFile(file.id, name, TYPES[file.codec] ?? 'video/mp4', file.size_bytes, (http, from, to, stop) => recordings(http, session.cid).piece(file.id, from, to, stop))

  const growing = computed(() => files.value.some((each) => each.state === 'recording'))

  return { files, next, loading, loaded, failed, growing, load, more, remove, take }
})
