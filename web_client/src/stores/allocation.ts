/** What of each picture reaches this device, and why not all of it. */
import { defineStore } from 'pinia'
import { computed, shallowRef } from 'vue'
import type { AllocatedTrack, Allocation } from '@/api/messages'

/** How much of what is shown the way to this device is too narrow for. */
export type Shortage = 'none' | 'some' | 'all'

export const useAllocation = defineStore('allocation', () => {
  const now = shallowRef<Allocation | null>(null)
  const byId = computed(() => new Map(now.value?.tracks.map((each) => [each.publication_id, each])))
  const pausedAt = new Map<string, number>()

  function told(allocation: Allocation): void {
    const at = performance.now()
    for (const each of byId.value.values()) if (each.layer === null) pausedAt.set(each.publication_id, at)
    now.value = allocation
  }

  function of(publicationId: string | null): AllocatedTrack | null {
    return publicationId === null ? null : (byId.value.get(publicationId) ?? null)
  }

  /** The picture stands, because the way here is too narrow for it. */
  function paused(publicationId: string | null): boolean {
    const track = of(publicationId)
    return track?.layer === null && track.reason === 'bandwidth'
  }

  const shortage = computed<Shortage>(() => {
    if (now.value?.sound_only) return 'all'
    return now.value?.tracks.some((each) => paused(each.publication_id)) ? 'some' : 'none'
  })

  /** When nothing was sent of it last. */
  function absentAt(publicationId: string, at: number): number {
    return of(publicationId)?.layer === null ? at : (pausedAt.get(publicationId) ?? -Infinity)
  }

  function clear(): void {
    now.value = null
    pausedAt.clear()
  }

  return { told, of, paused, shortage, absentAt, clear }
})
