/** Attendance and speaking time: read anew when the room changes, not more often than every few seconds. */
import { defineStore } from 'pinia'
import { ref, shallowRef, watch } from 'vue'
import { attendance, type Attendee, type Statistics } from '@/api/attendance'
import { useActs } from './acts'
import { useRoom } from './room'
import { useSession } from './session'

const CALM_MS = 4000
/** speaking time grows without any event */
const GROWING_MS = 20_000

export const useAttendance = defineStore('attendance', () => {
  const acts = useActs()
  const room = useRoom()
  const session = useSession()
  const items = shallowRef<Attendee[] | null>(null)
  const statistics = shallowRef<Statistics | null>(null)
  const failed = ref(false)
  let wanted = false
  let waiting: ReturnType<typeof setTimeout> | undefined
  let growing: ReturnType<typeof setInterval> | undefined

  async function load(): Promise<void> {
    const api = (http: Parameters<Parameters<typeof acts.run>[0]>[0]) => attendance(http, session.cid)
    const [list, sums] = await Promise.all([acts.run((http) => api(http).list(), { quiet: true }), acts.run((http) => api(http).statistics(), { quiet: true })])
    if (list) items.value = list.value.items
    if (sums) statistics.value = sums.value
    failed.value = !list && items.value === null
  }

  function soon(): void {
    if (!wanted || waiting) return
    waiting = setTimeout(() => {
      waiting = undefined
      if (wanted) void load()
    }, CALM_MS)
  }

  function start(): void {
    wanted = true
    growing = setInterval(() => {
      if (room.running) soon()
    }, GROWING_MS)
    void load()
  }

  function stop(): void {
    wanted = false
    clearTimeout(waiting)
    waiting = undefined
    clearInterval(growing)
  }

  watch(
    () => [room.participants.map((each) => `${each.id}${each.connected}`).join(), room.holder?.participant_id, room.state?.consultation.status, room.state?.statementCount],
    soon,
  )

  const take = (kind: 'xlsx' | 'csv', name: string): Promise<void> => acts.download(name, (http) => attendance(http, session.cid).table(kind))
  const takeDuty = (name: string): Promise<void> => acts.download(name, (http) => attendance(http, session.cid).dutyRecords())

  return { items, statistics, failed, load, start, stop, take, takeDuty }
})
