/** How many watch: a sign of life from a few of them, as few and as rarely as the server says. The page keeps no name for anybody. */
import { onScopeDispose, watch } from 'vue'
import type { PublicConsultation } from '@/api/public'
import { sendPresence } from '@/api/public-comments'
import { newKey } from './comment-outbox'

/** Whether a view is in the sample: by its own id, which the server can check, judged anew with every share. */
export const speaks = (id: string, beacon: { share: number } | null | undefined): boolean => !!beacon && parseInt(id.slice(0, 8), 16) / 2 ** 32 < beacon.share

export function usePresence(cid: string, page: () => PublicConsultation | null, watching: () => boolean): void {
  const id = newKey()
  let timer: ReturnType<typeof setTimeout> | undefined
  let every: number | null = null

  function beat(): void {
    if (every === null) return
    if (watching() && speaks(id, page()?.beacon)) void sendPresence(cid, id)
    timer = setTimeout(beat, every * 1000)
  }
  watch(
    () => page()?.beacon?.every_s ?? null,
    (now) => {
      clearTimeout(timer)
      every = now
      // Spread over a period: a crowd that comes at once does not speak at once.
      if (now !== null) timer = setTimeout(beat, Math.random() * now * 1000)
    },
    { immediate: true },
  )
  onScopeDispose(() => {
    every = null
    clearTimeout(timer)
  })
}
