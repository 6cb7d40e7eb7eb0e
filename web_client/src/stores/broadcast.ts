/** What goes to the public: the emergency cut-off, its end, and stretches that are withdrawn or given back. */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { broadcasting, type BroadcastAct } from '@/api/broadcast'
import type { Broadcast } from '@/api/messages'
import { RequestError } from '@/api/room-socket'
import { useActs } from './acts'
import { useClock } from './clock'
import { useLine } from './line'
import { useRoom } from './room'
import { useSession } from './session'

/** How long the line may be silent before the same is asked over HTTP, too. */
const SILENCE_MS = 1500
const NO_ANSWER = new Set(['offline', 'timeout'])

export const useBroadcast = defineStore('broadcast', () => {
  const acts = useActs()
  const clock = useClock()
  const line = useLine()
  const room = useRoom()
  const session = useSession()
  const busy = ref(false)

  const now = computed(() => room.state?.broadcast ?? null)
  const may = computed(() => now.value !== null && room.can('broadcast.cut'))
  const running = computed(() => now.value?.cut ?? null)
  /** There is something on the air that can be cut off. */
  const cuttable = computed(() => may.value && now.value?.is_public === true && running.value === null && (room.state?.program ?? null) !== null && room.running)
  const runsMs = computed(() => (running.value ? Math.max(0, clock.wallMs - running.value.since_wall_ms) : 0))

  /** Over the line, and when it is down or says nothing over HTTP: an emergency does not wait. */
  async function ask(act: BroadcastAct): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    const answer = await overLine(act)
    const done = answer === 'none' ? ((await acts.run((http) => broadcasting(http, session.cid).act(act)))?.value ?? null) : answer
    busy.value = false
    if (done && room.state) room.state.broadcast = done
    return done !== null
  }

  /** null after a refusal, which was said in words */
  async function overLine(act: BroadcastAct): Promise<Broadcast | 'none' | null> {
    if (!line.up) return 'none'
    const silent = new Promise<'none'>((done) => setTimeout(() => done('none'), SILENCE_MS))
    const asked = line.request(act.name, act.body).then(
      (answer) => answer.broadcast,
      (error: unknown) => {
        if (error instanceof RequestError && NO_ANSWER.has(error.code)) return 'none' as const
        line.say(error, act.name)
        return null
      },
    )
    return Promise.race([asked, silent])
  }

  return {
    now,
    may,
    running,
    cuttable,
    runsMs,
    busy,
    cut: () => ask({ name: 'broadcast.cut', body: {} }),
    restore: () => ask({ name: 'broadcast.restore', body: {} }),
    withdraw: (from_ms: number, to_ms: number, reason: string) => ask({ name: 'broadcast.withdraw', body: { from_ms, to_ms, reason } }),
    reinstate: (id: string, reason: string) => ask({ name: 'broadcast.reinstate', body: { id, reason } }),
  }
})
