/** 我的发言: what the bearer of this link said and wrote, its sound, and the clips that are made of it. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { Http, save } from '@/api/http'
import { keepToken } from '@/api/keepsake'
import { lookBack, MOST_SOUND_MS, ownSpeeches, type OwnRecord, type OwnSpeech } from '@/api/own-speeches'
import { RequestError } from '@/api/room-socket'
import { useSession } from './session'

const FOLLOW_MS = 2000

export const useOwnSpeeches = defineStore('own-speeches', () => {
  const session = useSession()
  const record = shallowRef<OwnRecord | null>(null)
  /** code of the refusal */
  const refused = ref<string | null>(null)
  const loading = ref(false)
  /** beginning of the speech that is heard, or whose sound is on its way */
  const hearing = ref<number | null>(null)
  const coming = ref(false)
  /** beginnings of speeches of which there is no sound after all */
  const silent = ref(new Set<number>())
  /** turns whose clip was asked for here, to be taken as soon as it is made */
  const wanted = new Set<string>()
  let audio: HTMLAudioElement | null = null
  let address = ''
  let turn = 0
  let timer: ReturnType<typeof setTimeout> | undefined

  async function load(): Promise<void> {
    loading.value = true
    refused.value = null
    try {
      if (session.code !== null && !session.token) {
        const entered = await lookBack(session.code)
        session.token = entered.token
        keepToken(entered.consultation_id, entered.token)
      }
      record.value = await api().all()
    } catch (error) {
      refused.value = error instanceof RequestError ? error.code : 'failed'
    } finally {
      loading.value = false
    }
    follow()
  }

  const api = (): ReturnType<typeof ownSpeeches> => ownSpeeches(new Http(session.token), session.cid)

  // ── sound ───────────────────────────────────────────────────────────────────────────────────────

  async function hear(speech: OwnSpeech, fromMs = speech.from_ms): Promise<void> {
    const now = (turn += 1)
    stopSound()
    hearing.value = speech.from_ms
    coming.value = true
    try {
      const sound = await api().sound(fromMs, Math.min(speech.to_ms, fromMs + MOST_SOUND_MS))
      if (now !== turn) return
      address = URL.createObjectURL(sound)
      audio ??= new Audio()
      audio.onended = stop
      audio.src = address
      await audio.play().catch(() => stop())
    } catch {
      if (now !== turn) return
      silent.value.add(speech.from_ms)
      hearing.value = null
    } finally {
      if (now === turn) coming.value = false
    }
  }

  function stopSound(): void {
    audio?.pause()
    audio?.removeAttribute('src')
    if (address) URL.revokeObjectURL(address)
    address = ''
  }

  function stop(): void {
    turn += 1
    stopSound()
    hearing.value = null
    coming.value = false
  }

  // ── clips ───────────────────────────────────────────────────────────────────────────────────────

  async function takeClip(speech: OwnSpeech, name: string): Promise<boolean> {
    const id = speech.turn_id
    if (id === null) return false
    try {
      const made = speech.clip?.state === 'done' ? speech.clip : await api().makeClip(id)
      put(id, made)
      if (made.state === 'done') {
        wanted.delete(id)
        save(await api().clip(id), name)
      } else if (made.state !== 'failed') {
        wanted.add(id)
        follow(name)
      }
      return made.state !== 'failed'
    } catch {
      wanted.delete(id)
      put(id, { state: 'failed', progress: 0, duration_ms: 0, size_bytes: 0 })
      return false
    }
  }

  function put(id: string, clip: OwnSpeech['clip']): void {
    if (record.value) record.value = { ...record.value, speeches: record.value.speeches.map((each) => (each.turn_id === id ? { ...each, clip } : each)) }
  }

  /** While a clip is being made it is looked after; it goes to the downloads as soon as it is there. */
  function follow(name = ''): void {
    clearTimeout(timer)
    if (!record.value?.speeches.some((each) => each.clip?.state === 'queued' || each.clip?.state === 'running')) return
    timer = setTimeout(async () => {
      record.value = await api()
        .all()
        .catch(() => record.value)
      for (const each of record.value?.speeches ?? []) {
        if (each.turn_id && wanted.has(each.turn_id) && each.clip?.state === 'done') await takeClip(each, name)
      }
      follow(name)
    }, FOLLOW_MS)
  }

  function close(): void {
    clearTimeout(timer)
    wanted.clear()
    stop()
  }

  return { record, refused, loading, hearing, coming, silent, load, hear, stop, takeClip, close }
})
