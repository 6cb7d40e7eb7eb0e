/** What one sends oneself: microphone, camera and screen; own choices, what the chair closed, and what the devices allow. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import { RequestError } from '@/api/room-socket'
import type { DeviceKind, DeviceProblem } from '@/rtc/devices'
import type { RoomSession } from '@/rtc/room-session'
import { ScreenShare } from '@/rtc/screen-share'
import { i18n } from '@/i18n'
import { useDevices } from './devices'
import { useNotices } from './notices'
import { useRoom } from './room'

/** A microphone that the chair closed is opened again only by the chair's undo, and that lasts 60 s: later nobody expects it. */
const REOPEN_MS = 65_000
/** Cameras are away for a moment when another is chosen, and telephones hold them back for a moment when an app is left. */
const CAMERA_AWAY_MS = 2000
/** A camera that gives nothing is opened once more; if that does not help, another one is offered. */
const STALL_AGAIN_MS = 60_000

/** The cameras of a venue, where it has more than one page camera. */
export interface SeveralCameras {
  /** whether any of them is sent */
  readonly seen: boolean
  picture: (label: string | null) => MediaStreamTrack | null
  /** all off, or on again as they were */
  toggle: () => void
  stop: () => void
}

export const useOwnMedia = defineStore('own-media', () => {
  const { t } = i18n.global
  const devices = useDevices()
  const notices = useNotices()
  const room = useRoom()

  /** one's own choice; whether sound goes out also depends on the chair and the device */
  const microphone = ref(false)
  const camera = ref(false)
  /** a venue sends several cameras, which are kept elsewhere; null: one camera, kept here */
  const several = shallowRef<SeveralCameras | null>(null)
  const share = shallowRef<ScreenShare | null>(null)
  const session = shallowRef<RoomSession | null>(null)
  let closedByChairAt = -Infinity
  /** opened because one was given the floor: closed again when that ends */
  let openedForTurn = false
  const turnTaken = ref(false)
  let off: (() => void)[] = []

  const locked = computed(() => room.me?.hard_muted ?? false)
  const holding = computed(() => room.holder !== null && room.holder.participant_id === room.myId)
  /** only who holds the floor may be heard now, and those who give it; a telephone in a hall never without the floor */
  const strict = computed(() => room.inHall || (room.floor !== null && room.floor.mode !== 'free' && !room.can('floor.grant')))
  const gated = computed(() => strict.value && !holding.value)
  /** What was open before the gate fell is not opened by the gift of the floor alone: one agrees to it, before or now. */
  const closed = computed(() => locked.value || (strict.value && !(holding.value && turnTaken.value)))
  const heard = computed(() => {
    const own = devices.now.microphone
    return microphone.value && !closed.value && own.track !== null && !own.interrupted
  })
  /** the system holds the camera back: others see the name instead of a picture that stands */
  const cameraHeld = ref(false)
  /** this device sends less of its picture, because it cannot keep up */
  const relieved = ref(false)
  const seen = computed(() =>
    several.value ? several.value.seen : camera.value && devices.now.camera.track !== null && !cameraHeld.value,
  )

  /** One's own picture under a publication's label. */
  function pictureOf(label: string | null): MediaStreamTrack | null {
    if (several.value) return several.value.picture(label)
    return camera.value ? devices.now.camera.track : null
  }

  function start(next: RoomSession, choice: { microphone: boolean; camera: boolean }): void {
    session.value = next
    openedForTurn = turnTaken.value = false
    microphone.value = choice.microphone
    camera.value = choice.camera && several.value === null
    if (!camera.value) devices.shut('camera')
    off = [
      devices.local.on('track', ({ kind, track }) => tracked(kind, track)),
      next.on('returned', () => {
        if (room.me?.hard_muted || (room.me?.muted_by && !room.me.microphone)) microphone.value = false
        declare()
      }),
      next.on('snapshot', firstDeclaration()),
      next.on('republished', () => (layers.value = new Map())),
      next.on('encoder', (watch) => {
        relieved.value = watch.relief > 0
        stalled(watch.stalled)
      }),
    ]
    enable()
    void next.publish.setTrack('microphone', devices.local.microphone.track)
    if (several.value === null) void next.publish.setTrack('camera', choice.camera ? devices.local.camera.track : null)
  }

  function firstDeclaration(): () => void {
    let done = false
    return () => {
      if (done) return
      done = true
      if (!room.can('media.publish')) {
        // Who only listens keeps no device busy.
        microphone.value = camera.value = false
        devices.shut('microphone')
        devices.shut('camera')
        several.value?.stop()
      }
      declare()
    }
  }

  function stop(): void {
    for (const each of off.splice(0)) each()
    clearTimeout(away)
    clearTimeout(holdingBack)
    missed = wasStalled = false
    cameraHeld.value = relieved.value = false
    layers.value = new Map()
    session.value = null
    several.value?.stop()
    several.value = null
    share.value?.stop()
    share.value = null
    devices.shut('microphone')
    devices.shut('camera')
  }

  function enable(): void {
    const track = devices.local.microphone.track
    if (track) track.enabled = microphone.value && !closed.value
  }

  /** Tells the room one's own choices, as far as the devices carry them out. */
  function declare(): void {
    // Behind the gate one's own choice stays what it was: it holds again in free discussion.
    const choice = gated.value ? { camera: seen.value } : { microphone: heard.value, camera: seen.value }
    session.value?.request('participant.update', choice).catch((error: unknown) => {
      if (!(error instanceof RequestError) || !['hard_muted', 'floor_required'].includes(error.code)) return
      microphone.value = false
      if (error.code === 'floor_required') refuse()
    })
  }

  watch([heard, seen, gated], declare)
  watch([microphone, closed], enable)
  watch(strict, (now) => {
    if (microphone.value && !holding.value) notices.show(t(now ? 'toast.locked' : 'toast.reopened'))
  })
  watch(locked, (now) => {
    if (now) microphone.value = false
  })

  function tracked(kind: DeviceKind, track: MediaStreamTrack | null): void {
    enable()
    if (kind === 'camera' && several.value) return
    void session.value?.publish.setTrack(kind, track)
    if (kind === 'camera') cameraTracked(track)
    if (kind !== 'microphone' || !microphone.value) return
    if (track) notices.say(t('toast.microphoneBack'))
    else notices.show(t('toast.microphoneLost'))
  }

  let away: ReturnType<typeof setTimeout> | undefined
  let missed = false
  function cameraTracked(track: MediaStreamTrack | null): void {
    clearTimeout(away)
    if (track) {
      if (missed) notices.show(t('toast.cameraBack'))
      missed = false
    } else if (camera.value) {
      away = setTimeout(() => {
        if (!camera.value || devices.local.camera.track) return
        missed = true
        offerOther(t('toast.cameraLost'), t('toast.cameraLostText'))
      }, CAMERA_AWAY_MS)
    } else {
      missed = false
    }
  }

  let holdingBack: ReturnType<typeof setTimeout> | undefined
  watch(
    () => camera.value && devices.now.camera.interrupted,
    (held) => {
      clearTimeout(holdingBack)
      if (!held) {
        cameraHeld.value = false
        return
      }
      holdingBack = setTimeout(() => {
        cameraHeld.value = true
        offerOther(t('toast.cameraHeld'), t('toast.cameraHeldText'))
      }, CAMERA_AWAY_MS)
    },
  )

  let wasStalled = false
  let openedAgainAt = -Infinity
  function stalled(now: boolean): void {
    if (now === wasStalled) return
    wasStalled = now
    if (!now || !camera.value || several.value) return
    if (Date.now() - openedAgainAt > STALL_AGAIN_MS) {
      openedAgainAt = Date.now()
      notices.show(t('toast.cameraReopened'))
      void devices.open('camera')
      return
    }
    offerOther(t('toast.cameraStalled'), t('toast.cameraStalledText'))
  }

  function offerOther(text: string, detail: string): void {
    const used = devices.local.camera.track?.getSettings().deviceId ?? devices.now.choice.camera
    const other = devices.now.list.cameras.find((each) => each.id !== used)
    const run = (): void => void (devices.turnable ? devices.turnCamera() : other && devices.choose('camera', other.id))
    notices.show(text, { detail, forMs: 10_000, ...(other ? { action: { label: t('toast.otherCamera'), run } } : {}) })
    notices.say(`${text}。${detail}`)
  }

  /** What the server said of tracks that the room does not list yet, or of those it does. */
  const layers = shallowRef(new Map<string, string[]>())
  function toldLayers({ publication_id: id, layers: needed }: { publication_id: string; layers: string[] }): void {
    layers.value = new Map(layers.value).set(id, needed)
  }
  watch([layers, () => room.me?.publications], ([told, publications]) => {
    for (const each of publications ?? []) {
      const needed = told.get(each.id)
      if (needed && session.value) session.value.publish.need(session.value.publish.keyOf(each.source, each.label), needed)
    }
  })

  function refuse(): void {
    notices.show(t('toast.locked'))
    notices.say(t('toast.locked'))
  }

  async function toggleMicrophone(): Promise<void> {
    if (locked.value || gated.value) {
      refuse()
      return
    }
    await setMicrophone(closed.value || !microphone.value || !devices.local.microphone.track)
  }

  async function setMicrophone(open: boolean): Promise<void> {
    if (open && (locked.value || gated.value)) return
    if (open && holding.value) turnTaken.value = true
    if (await switchMicrophone(open)) notices.say(t(open ? 'toast.microphoneOpen' : 'toast.microphoneClosed'))
  }

  async function switchMicrophone(open: boolean): Promise<boolean> {
    if (open && !devices.local.microphone.track) await devices.open('microphone')
    const problem = devices.local.microphone.problem
    if (open && problem) {
      explain('microphone', problem)
      return false
    }
    microphone.value = open
    return true
  }

  /** Without a gesture: only a microphone that has been captured since joining can be opened so. false: it is not there. */
  function openForTurn(): boolean {
    if (!devices.local.microphone.track || devices.local.microphone.interrupted) return false
    openedForTurn ||= !microphone.value
    turnTaken.value = true
    microphone.value = true
    return true
  }

  /** With a gesture, so that a microphone that was never there may be asked for. */
  async function openMicrophoneForTurn(): Promise<boolean> {
    openedForTurn ||= !microphone.value
    turnTaken.value = await switchMicrophone(true)
    return turnTaken.value
  }

  function closeAfterTurn(): void {
    if (openedForTurn) microphone.value = false
    openedForTurn = turnTaken.value = false
  }

  async function toggleCamera(): Promise<void> {
    if (several.value) {
      several.value.toggle()
      return
    }
    if (camera.value && devices.local.camera.track) {
      camera.value = false
      devices.shut('camera')
      return
    }
    camera.value = true
    await devices.open('camera')
    const problem = devices.local.camera.problem
    if (problem) {
      camera.value = false
      explain('camera', problem)
    }
  }

  function explain(kind: DeviceKind, problem: DeviceProblem): void {
    if (problem === 'insecure' || problem === 'unsupported') {
      notices.show(t(`problem.${problem}`), { detail: t(`problem.${problem}Text`) })
      return
    }
    notices.show(t(`problem.${kind}.${problem}`), { detail: t(`problem.${kind}Text.${problem}`), forMs: 10_000 })
  }

  /** participant.mute: somebody with the right closed or released this microphone. */
  function toldToMute({ muted, hard }: { by: string; hard: boolean; muted: boolean }): void {
    if (muted) {
      if (microphone.value) closedByChairAt = Date.now()
      microphone.value = false
      const detail = t(hard ? 'toast.locked' : 'toast.mutedByChairText')
      notices.show(t('toast.mutedByChair'), { detail, forMs: 10_000 })
      notices.say(`${t('toast.mutedByChair')}。${detail}`)
      return
    }
    // Given the floor: the mute was lifted for that.
    if (openedForTurn && microphone.value) return
    const reopen = Date.now() - closedByChairAt < REOPEN_MS
    closedByChairAt = -Infinity
    microphone.value = reopen
    const text = t(reopen ? 'toast.reopened' : 'toast.liftedForYou')
    notices.show(text)
    notices.say(text)
    declare()
  }

  async function toggleShare(): Promise<void> {
    if (share.value) {
      stopShare()
      return
    }
    if (!ScreenShare.supported()) {
      notices.show(t('toast.shareUnsupported'))
      return
    }
    const next = await ScreenShare.open().catch(() => undefined)
    if (next === undefined) {
      notices.show(t('toast.shareFailed'))
      return
    }
    // null: closed in the browser's own window, which needs no word of ours.
    if (next === null || !session.value) {
      next?.stop()
      return
    }
    share.value = next
    next.on('ended', stopShare)
    await session.value.publish.setTrack('screen', next.picture)
    if (next.sound) await session.value.publish.setTrack('screen_sound', next.sound)
    notices.say(t('toast.shareStarted'))
  }

  function stopShare(): void {
    const old = share.value
    if (!old) return
    share.value = null
    old.stop()
    void session.value?.publish.withdraw('screen')
    if (old.sound) void session.value?.publish.withdraw('screen_sound')
    notices.say(t('toast.shareStopped'))
  }

  return {
    microphone,
    camera,
    share,
    locked,
    gated,
    closed,
    turnTaken,
    cameraHeld,
    relieved,
    toldLayers,
    heard,
    seen,
    several,
    pictureOf,
    start,
    stop,
    toldToMute,
    toggleMicrophone,
    setMicrophone,
    openForTurn,
    openMicrophoneForTurn,
    closeAfterTurn,
    toggleCamera,
    toggleShare,
  }
})
