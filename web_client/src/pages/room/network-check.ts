/** The join page's network test from beginning to end: ways, then delay and loss, then speed. */
import { computed, onBeforeUnmount, onMounted, ref, shallowRef } from 'vue'
import { Http } from '@/api/http'
import { measureRoundTrip } from '@/api/session'
import { EchoTest } from '@/rtc/echo-test'
import { NetworkTest, type Way, type WayName } from '@/rtc/network-test'
import { gradesOf, gravest, type Figures } from '@/rtc/network-verdict'
import { downloadSpeed, uploadSpeed } from '@/rtc/speed-test'

export type CheckState = 'checking' | 'good' | 'fair' | 'poor' | 'none' | 'tcp' | 'relay' | 'shut' | 'unknown'

const GOOD_MS = 250
const FAIR_MS = 800

export function useNetworkCheck() {
  const state = ref<CheckState>('checking')
  const ways = ref<Way[]>([])
  const figures = shallowRef<Figures | null>(null)
  const measuring = ref(false)
  const pagePort = Number(window.location.port) || (window.location.protocol === 'https:' ? 443 : 80)
  let end: () => void = () => undefined

  async function run(): Promise<void> {
    end()
    const stop = new AbortController()
    end = () => stop.abort()
    state.value = 'checking'
    ways.value = []
    figures.value = null
    measuring.value = false
    const trip = await measureRoundTrip()
    if (stop.signal.aborted) return
    if (trip === null) {
      state.value = 'none'
      return
    }
    const guess = trip < GOOD_MS ? 'good' : trip < FAIR_MS ? 'fair' : 'poor'
    if (!('RTCPeerConnection' in window)) {
      state.value = guess
      return
    }
    await tryOut(stop.signal, trip, guess)
  }

  async function tryOut(stop: AbortSignal, trip: number, guess: CheckState): Promise<void> {
    const echo = new EchoTest()
    const test = new NetworkTest({
      createPeer: (configuration) => new RTCPeerConnection(configuration),
      ask: (sdp) => new Http(null).send('POST', '/network-test', { sdp }),
      pagePort,
      changed: (now) => {
        ways.value = now
        if (isOpen('udp') && state.value === 'checking') state.value = guess
      },
      prepare: (peer) => echo.attach(peer),
      measure: async (peer) => {
        if (!isOpen('udp')) state.value = without()
        measuring.value = true
        const heard = await echo.measure(peer)
        // One after the other: what fills the line would look like loss.
        const down = stop.aborted ? null : await downloadSpeed(stop)
        const up = stop.aborted ? null : await uploadSpeed(stop, trip)
        if (!stop.aborted) show({ ...heard, rttMs: heard.rttMs ?? trip, down, up })
      },
    })
    stop.addEventListener('abort', () => {
      echo.close()
      test.close()
    })
    try {
      await test.run()
      if (!stop.aborted && !isOpen('udp')) state.value = without()
    } catch {
      // The test is refused, or the media process starts: the room finds its way by itself.
      if (!stop.aborted && state.value === 'checking') state.value = 'unknown'
    } finally {
      echo.close()
      if (!stop.aborted) measuring.value = false
    }
  }

  function show(found: Figures): void {
    figures.value = found
    if (isOpen('udp')) state.value = gravest(gradesOf(found))?.grade ?? 'good'
  }

  /** Only what was tried and did not come through is shut. */
  function without(): CheckState {
    if (isOpen('tcp') || isOpen('https')) return 'tcp'
    if (isOpen('relay')) return 'relay'
    return ways.value.length > 0 && ways.value.every((way) => way.state === 'shut') ? 'shut' : 'unknown'
  }

  function isOpen(name: WayName): boolean {
    return ways.value.some((way) => way.name === name && way.state === 'open')
  }

  const grades = computed(() => (figures.value ? gradesOf(figures.value) : null))
  const fault = computed(() => (grades.value ? gravest(grades.value) : null))

  onMounted(() => void run())
  onBeforeUnmount(() => end())
  return { state, ways, figures, grades, fault, measuring, isOpen, run }
}
