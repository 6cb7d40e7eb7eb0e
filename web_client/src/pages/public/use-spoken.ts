/**
 * Everything that was said, in pieces of ten minutes from the public captions, the piece that is watched first. What is there is
 * looked at again in turn: the secretariat mends words, and stretches are withdrawn.
 */
import { computed, onScopeDispose, ref, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import { fetchCaptions, type PublicCaption } from '@/api/public'

export const PIECE_MS = 600_000
const BEAT_MS = 5000
const QUIET_BEAT_MS = 30_000
const AGAIN_MS = 4000

export interface SpokenTime {
  /** how far the text goes by now, program time; null: nothing is asked for */
  endMs: number | null
  /** what is watched */
  atMs: number
  /** it still grows */
  live: boolean
}

export interface Spoken {
  captions: ComputedRef<PublicCaption[]>
  /** every piece was read at least once */
  whole: ComputedRef<boolean>
  failed: Ref<boolean>
}

/** Pieces up to `endMs` in the order in which they are wanted: from what is watched to the end, then back to the beginning. */
export function piecesFrom(atMs: number, endMs: number): number[] {
  const last = Math.max(0, Math.ceil(endMs / PIECE_MS) - 1)
  const now = Math.min(last, Math.max(0, Math.floor(atMs / PIECE_MS)))
  const ahead = Array.from({ length: last - now + 1 }, (_, n) => now + n)
  return [...ahead, ...Array.from({ length: now }, (_, n) => now - 1 - n)]
}

export function useSpoken(cid: string, time: () => SpokenTime): Spoken {
  const pieces = shallowRef(new Map<number, PublicCaption[]>())
  const failed = ref(false)
  const captions = computed(() => [...pieces.value.entries()].sort(([one], [two]) => one - two).flatMap(([, items]) => items))
  const wanted = computed(() => {
    const { endMs } = time()
    return endMs === null ? 0 : Math.max(1, Math.ceil(endMs / PIECE_MS))
  })
  const whole = computed(() => wanted.value > 0 && pieces.value.size >= wanted.value)
  let timer: ReturnType<typeof setTimeout> | undefined
  let turn = 0
  let round = 0

  async function read(piece: number, mine: number): Promise<boolean> {
    try {
      const { body } = await fetchCaptions(cid, piece * PIECE_MS, (piece + 1) * PIECE_MS)
      if (mine !== turn) return false
      // A sentence over the border of two pieces belongs to that in which it begins.
      const items = body.items.filter((each) => Math.floor(each.start_ms / PIECE_MS) === piece)
      if (JSON.stringify(items) !== JSON.stringify(pieces.value.get(piece))) pieces.value = new Map(pieces.value).set(piece, items)
      failed.value = false
      return true
    } catch {
      if (mine === turn) failed.value = true
      return false
    }
  }

  async function work(): Promise<void> {
    const mine = turn
    const { endMs, atMs, live } = time()
    if (endMs === null) return
    const order = piecesFrom(atMs, endMs)
    const missing = order.find((piece) => !pieces.value.has(piece))
    if (missing !== undefined) {
      const done = await read(missing, mine)
      if (mine === turn) timer = setTimeout(() => void work(), done ? 0 : AGAIN_MS)
      return
    }
    if (live) await read(order.length - 1, mine)
    const again = order[(round += 1) % order.length]
    if (mine === turn && again !== undefined && !(live && again === order.length - 1)) await read(again, mine)
    if (mine === turn) timer = setTimeout(() => void work(), live ? BEAT_MS : QUIET_BEAT_MS)
  }

  function stop(): void {
    turn += 1
    clearTimeout(timer)
  }

  watch(
    () => [time().endMs !== null, time().live] as const,
    ([on]) => {
      stop()
      // What was cut off from the public, or is another recording now, is not kept.
      if (!on) pieces.value = new Map()
      else void work()
    },
    { immediate: true },
  )
  onScopeDispose(stop)
  return { captions, whole, failed }
}
