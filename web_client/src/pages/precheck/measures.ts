/** How each item is measured on this page, and what its panel shows meanwhile. People are asked about the big screen and the name plate. */
import { reactive } from 'vue'
import { serverTime, type Figures, type FiguresOf, type Opening, type PrecheckItem } from '@/api/precheck'
import { CameraTest, type Looked } from '@/rtc/precheck/camera-test'
import { clockOf, type Tick } from '@/rtc/precheck/line'
import { LINE_MS, measureLine, type LineNow } from '@/rtc/precheck/line-test'
import { SILENCE_DBFS } from '@/rtc/precheck/sound'
import { echoFigures, listen, loudspeakerFigures, playTone, type Toned } from '@/rtc/precheck/sound-test'
import { BEFORE_S, LONGEST_DELAY_S, TONE_S } from '@/rtc/precheck/tone'
import { whenStopped } from '@/rtc/precheck/waiting'
import type { Measure } from './precheck-run'

const CAMERA_MS = 4000
const LIGHT_MS = 1000
const MICROPHONE_MS = 6000
const ECHO_TURNS = 2
const CLOCK_TURNS = 5

/** how long an item takes, for who waits; not said of what people answer */
export const LASTS_MS: Partial<Record<PrecheckItem, number>> = {
  camera: CAMERA_MS + 1000,
  light: LIGHT_MS + 1000,
  microphone: MICROPHONE_MS + 600,
  loudspeaker: 1000 * (TONE_S + LONGEST_DELAY_S + BEFORE_S) + 600,
  echo: 1000 * ECHO_TURNS * (TONE_S + LONGEST_DELAY_S + BEFORE_S) + 600,
  network: LINE_MS,
}

export function useMeasures(opening: Opening) {
  const shown = reactive({
    /** 0 to 1, of the item that is measured */
    part: 0,
    level: SILENCE_DBFS,
    line: null as LineNow | null,
    /** waits for somebody to say what they see */
    answering: false,
  })
  /** the element of the panel that shows the camera */
  let video: HTMLVideoElement | null = null
  let direct: Toned | null = null
  let answered: ((figures: Figures) => void) | null = null

  async function look(lastsMs: number, stop: AbortSignal): Promise<Looked> {
    const camera = new CameraTest(video ?? document.createElement('video'))
    try {
      return await camera.look(lastsMs, stop, progress)
    } finally {
      camera.close()
    }
  }

  function progress(part: number): void {
    shown.part = part
  }

  async function ask(stop: AbortSignal): Promise<Figures> {
    shown.answering = true
    try {
      return await whenStopped(stop, new Promise<Figures>((resolve) => (answered = resolve)))
    } finally {
      shown.answering = false
      answered = null
    }
  }

  async function loudspeaker(stop: AbortSignal): Promise<FiguresOf['loudspeaker']> {
    direct = await playTone(false, 1, stop, progress)
    return loudspeakerFigures(direct)
  }

  /** The same loudspeakers, just measured, need not be heard once more. */
  async function echo(stop: AbortSignal): Promise<FiguresOf['echo']> {
    const before = direct ?? (await playTone(false, 1, stop, progress))
    direct = null
    return echoFigures(before, await playTone(true, ECHO_TURNS, stop, progress))
  }

  async function clock(stop: AbortSignal): Promise<FiguresOf['clock']> {
    const ticks: Tick[] = []
    for (let turn = 0; turn < CLOCK_TURNS; turn += 1) {
      const askedAt = Date.now()
      const serverMs = await whenStopped(stop, serverTime())
      ticks.push({ askedAt, answeredAt: Date.now(), serverMs })
      progress((turn + 1) / CLOCK_TURNS)
    }
    const found = clockOf(ticks)
    if (!found) throw new Error('no answer')
    return found
  }

  const all: Record<PrecheckItem, Measure> = {
    camera: async (stop) => (await look(CAMERA_MS, stop)).camera,
    light: async (stop) => (await look(LIGHT_MS, stop)).light,
    microphone: (stop) =>
      listen(MICROPHONE_MS, stop, (part, dbfs) => {
        shown.part = part
        shown.level = dbfs
      }),
    loudspeaker,
    echo,
    network: (stop) =>
      measureLine(stop, (now) => {
        shown.line = now
        shown.part = now.part
      }),
    clock,
    projection: ask,
    nameplate: ask,
  }

  function measure(item: PrecheckItem): Measure {
    return async (stop) => {
      Object.assign(shown, { part: 0, level: SILENCE_DBFS, line: null })
      // The panel of this item has to be there first: the camera is shown in it.
      await new Promise((resolve) => setTimeout(resolve))
      return all[item](stop)
    }
  }

  return {
    shown,
    measure,
    venue: opening.venue.name,
    show: (element: HTMLVideoElement | null) => (video = element),
    answer: (figures: Figures) => answered?.(figures),
  }
}

export type Measures = ReturnType<typeof useMeasures>
