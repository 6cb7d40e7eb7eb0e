/** Notices that somebody talks with a closed microphone. Listens on a copy of the track, which is never sent anywhere. */
import { onBeforeUnmount, watch } from 'vue'
import { useI18n } from 'vue-i18n'
import { LevelMeter } from '@/rtc/level-meter'
import { useDevices } from '@/stores/devices'
import { useNotices } from '@/stores/notices'
import { useOwnMedia } from '@/stores/own-media'
import { useViewport } from '@/stores/viewport'

const LOUD = 0.6
const LOUD_FOR = 12
const PAUSE_MS = 60_000

export function useTalkingMuted(): void {
  const { t } = useI18n()
  const devices = useDevices()
  const notices = useNotices()
  const own = useOwnMedia()
  const viewport = useViewport()
  let copy: MediaStreamTrack | null = null
  let meter: LevelMeter | null = null
  let loud = 0
  let told = -Infinity

  function stop(): void {
    meter?.stop()
    copy?.stop()
    meter = copy = null
    loud = 0
  }

  function heard(level: number): void {
    // Speech comes and goes: it has to add up, a knock on the table does not.
    loud = level > LOUD ? loud + 1 : Math.max(0, loud - 0.5)
    if (loud < LOUD_FOR || Date.now() - told < PAUSE_MS) return
    told = Date.now()
    loud = 0
    notices.show(t('toast.talkingMuted'), {
      action: { label: t('toast.openMicrophone'), run: () => void own.setMicrophone(true) },
    })
  }

  watch(
    [() => devices.now.microphone.track, () => !own.microphone && !own.closed && !viewport.touch] as const,
    ([track, listen]) => {
      stop()
      if (!track || !listen) return
      copy = track.clone()
      copy.enabled = true
      meter = new LevelMeter(copy, heard)
    },
    { immediate: true },
  )
  onBeforeUnmount(stop)
}
