/** Clips: the list as the server tells it, bringing and deleting them, and the one that is played. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { clips as rest, positionOf, type Clip } from '@/api/clips'
import { i18n } from '@/i18n'
import { useActs } from './acts'
import { useClock } from './clock'
import { useLine } from './line'
import { useNotices } from './notices'
import { useRoom } from './room'
import { useSession } from './session'

export const useClips = defineStore('clips', () => {
  const { t } = i18n.global
  const acts = useActs()
  const clock = useClock()
  const line = useLine()
  const notices = useNotices()
  const room = useRoom()
  const session = useSession()

  const items = shallowRef<Clip[]>([])
  const maxBytes = ref(0)
  const loaded = ref(false)
  const sending = ref(0)
  const busy = ref(false)
  const posters = shallowRef(new Map<string, string>())
  const asked = new Set<string>()

  const mayAdd = computed(() => room.can('clip.add'))
  const mayPlay = computed(() => room.can('clip.play'))
  const ready = computed(() => items.value.filter((each) => each.state === 'ready'))
  const playing = computed(() => room.state?.clip ?? null)
  const positionMs = computed(() => (playing.value ? positionOf(playing.value, clock.wallMs) : 0))
  /** an operator leads the clips of the own venue only */
  const leads = computed(() => mayPlay.value && (room.state?.self.role !== 'venue_operator' || items.value.some((each) => each.id === playing.value?.clip_id)))

  async function load(): Promise<void> {
    const got = await acts.run((http) => rest(http, session.cid).list(), { quiet: true })
    if (!got) return
    items.value = got.value.items
    maxBytes.value = got.value.max_bytes
    loaded.value = true
  }

  /** the newest list counts */
  function told(list: Clip[]): void {
    items.value = list
    loaded.value = true
  }

  async function add(files: File[]): Promise<void> {
    for (const file of files) {
      if (maxBytes.value && file.size > maxBytes.value) {
        notices.show(t('clips.tooLarge', { name: file.name, n: Math.round(maxBytes.value / 2 ** 20) }))
        continue
      }
      sending.value += 1
      await acts.run((http) => rest(http, session.cid).add(file))
      sending.value -= 1
    }
    await load()
  }

  async function remove(clip: Clip): Promise<void> {
    if (await acts.run((http) => rest(http, session.cid).remove(clip.id))) items.value = items.value.filter((each) => each.id !== clip.id)
  }

  async function cue(clip: Clip, ms: number): Promise<void> {
    const done = await acts.run((http) => rest(http, session.cid).cue(clip.id, Math.round(ms)))
    if (done) items.value = items.value.map((each) => (each.id === clip.id ? done.value : each))
  }

  /** Pictures are asked for once; who has none shows a sign. */
  async function poster(clip: Clip): Promise<void> {
    if (!clip.has_picture || clip.state !== 'ready' || asked.has(clip.id)) return
    asked.add(clip.id)
    const got = await acts.run((http) => rest(http, session.cid).poster(clip.id), { quiet: true })
    if (got) posters.value = new Map(posters.value).set(clip.id, URL.createObjectURL(got.value))
  }

  async function order(act: () => Promise<unknown>): Promise<void> {
    if (busy.value) return
    busy.value = true
    await line.attempt(async () => {
      await act()
    })
    busy.value = false
  }

  return {
    items,
    maxBytes,
    loaded,
    sending,
    busy,
    posters,
    mayAdd,
    mayPlay,
    leads,
    ready,
    playing,
    positionMs,
    load,
    told,
    add,
    remove,
    cue,
    poster,
    play: (clip: Clip, fromMs?: number) => order(() => line.request('clip.play', { clip_id: clip.id, ...(fromMs === undefined ? {} : { from_ms: Math.round(fromMs) }) })),
    pause: () => order(() => line.request('clip.pause', {})),
    resume: () => order(() => line.request('clip.resume', {})),
    seek: (ms: number) => order(() => line.request('clip.seek', { position_ms: Math.round(ms) })),
    stop: () => order(() => line.request('clip.stop', {})),
  }
})
