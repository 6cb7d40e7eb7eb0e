/** One's own devices for the pages: what LocalMedia says, made visible. */
import { defineStore } from 'pinia'
import { markRaw, ref, shallowRef } from 'vue'
import type { DeviceKind, SoundProcessing } from '@/rtc/devices'
import { LocalMedia, type LocalDevice } from '@/rtc/local-media'
import { useViewport } from './viewport'

function view(local: LocalMedia): {
  microphone: LocalDevice
  camera: LocalDevice
  list: LocalMedia['list']
  choice: LocalMedia['choice']
} {
  return {
    microphone: { ...local.microphone },
    camera: { ...local.camera },
    list: local.list,
    choice: local.choice,
  }
}

export const useDevices = defineStore('devices', () => {
  const viewport = useViewport()
  const phone = viewport.phone
  const local = markRaw(new LocalMedia(phone))
  const now = shallowRef(view(local))
  /** front and back instead of a list of names */
  const turnable = ref(phone)

  local.on('changed', () => (now.value = view(local)))

  return {
    local,
    now,
    turnable,
    openBoth: () => local.openBoth(),
    open: (kind: DeviceKind) => local.open(kind),
    shut: (kind: DeviceKind) => local.shut(kind),
    choose: (kind: DeviceKind, id: string) => local.choose(kind, id),
    chooseSpeaker: (id: string) => local.chooseSpeaker(id),
    turnCamera: () => local.turnCamera(),
    relist: () => local.relist(),
    process: (processing: SoundProcessing) => local.process(processing),
  }
})
