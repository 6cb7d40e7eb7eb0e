/** How many watch: a sign of life from a few of them, as few and as rarely as the server says. The page keeps no name for anybody. */
import { onScopeDispose, watch } from 'vue'
import type { PublicConsultation } from '@/api/public'
import { sendPresence } from '@/api/public-comments'
import { newKey } from './comment-outbox'

/** `chance` of this view in [0, 1) stays the same, so that whoever speaks goes on speaking when the share falls slowly. */
export const speaks = (chance: number, beacon: { share: number } | null | undefined): boolean => !!beacon && chance < beacon.share

export function usePresence(cid: string, page: () => PublicConsultation | null, watching: () => boolean): void {
  const id = newKey()
  const chance = Math.random()
  let timer: ReturnType<typeof setTimeout> | undefined
  let every: number | null = null

  function beat(): void {
    if (every === null) return
    if (watching() && speaks(chance, page()?.beacon)) void sendPresence(cid, id)
    timer = setTimeout(beat, every * 1000)
  }
  watch(
    () => page()?.beacon?.every_s ?? null,
    (now) => {
      clearTimeout(timer)
      every = now
      // Spread over a period: a crowd that comes at once does not speak at once.
      if (now !== null) timer = setTimeout(beat, Math.random() * Math.min(now, 5) * 1000)
    },
    { immediate: true },
  )
  onScopeDispose(() => {
    every = null
    clearTimeout(timer)
  })
}
