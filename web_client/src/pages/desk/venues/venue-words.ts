/** The board in words that can be read to somebody on the telephone. */
import type { Participant } from '@/api/messages'
import type { Checked, CheckVerdict, FetchedCamera, VenueEvent, VenueHealth, VenueStep } from '@/api/venue-board'
import { daysUntil, momentOf } from '@/components/case-time'
import type { IconName } from '@/components/icons'
import { percent, rateWords } from '../inspector/inspector-words'

type Translate = (key: string, values?: Record<string, unknown>) => string
export type Tone = 'ok' | 'warn' | 'bad' | 'off'

const TONES: Record<VenueHealth['verdict'], Tone> = { ok: 'ok', look: 'warn', act: 'bad', absent: 'off' }
const MARKS: Record<Tone, IconName> = { ok: 'ok', warn: 'alert', bad: 'alert', off: 'cam-off' }
/** What only the desk can do; an operator is not told. */
const DESKS_OWN: readonly VenueStep[] = ['call', 'resend_link', 'check_address']

/** Who is missing while the meeting runs is to be seen to. */
export const toneOf = (each: VenueHealth): Tone => (each.verdict === 'absent' && each.need > 0 ? 'warn' : TONES[each.verdict])
export const markOf = (each: VenueHealth): IconName => MARKS[toneOf(each)]

export function reasonWords(each: VenueHealth, t: Translate): string {
  return t(`board.reason.${each.reason}`, { n: each.count })
}

/** What it means, and the one thing to do. */
export function whyWords(each: VenueHealth, t: Translate): string {
  const value = each.value ?? 0
  return t(`board.why.${each.reason}`, { p: `${percent(value)}%`, n: Math.round(value) })
}

/** The verdict as it stands in a row. */
export function nowWords(each: VenueHealth, people: readonly Participant[], t: Translate): string {
  const muted = each.verdict === 'ok' && people.length > 0 && people.every((one) => !one.microphone)
  return muted ? t('board.muted') : reasonWords(each, t)
}

/** How long it has been so; nothing for those who are well. */
export function sinceWords(each: VenueHealth, nowMs: number, t: Translate): string {
  const minutes = Math.floor((nowMs - each.since_ms) / 60_000)
  if (minutes < 1) return t('board.line.forS')
  return minutes < 60 ? t('board.line.forMin', { n: minutes }) : t('board.line.forH', { n: Math.floor(minutes / 60) })
}

/** The small line under the verdict: its microphone and its turn, else how long the trouble lasts, and the way it takes. */
export function lineWords(each: VenueHealth, people: readonly Participant[], speaking: string | null, nowMs: number, t: Translate): string {
  const parts: string[] = []
  if (each.verdict !== 'ok') parts.push(sinceWords(each, nowMs, t))
  else if (people.length > 0) {
    const open = people.some((one) => one.microphone)
    const hand = people.map((one) => one.hand).find((place) => place !== null && place !== undefined)
    if (speaking !== null) parts.push(t('board.line.speaking', { name: speaking }))
    else parts.push(t(open ? 'board.line.open' : 'board.line.shut'))
    if (hand !== undefined && hand !== null) parts.push(t('board.line.place', { n: hand }))
  }
  if (['tcp', 'https_port', 'relay'].includes(each.path)) {
    parts.push(t(`board.path.${each.path}`))
    if (each.rtt_ms !== null) parts.push(t('board.line.rtt', { n: each.rtt_ms }))
  }
  return parts.join(t('common.comma'))
}

/** Kind or place, and who operates it. */
export function placeWords(each: VenueHealth, t: Translate): string {
  const place = each.prepared ? each.place : t('board.unlisted')
  return [place, each.operator_name].filter(Boolean).join(t('common.separator'))
}

export const upWords = (each: VenueHealth, t: Translate): string => (each.uplink_bps === null ? t('board.unmeasured') : rateWords(each.uplink_bps, t))
export const lossWords = (each: VenueHealth, t: Translate): string => (each.uplink_loss === null ? t('board.unmeasured') : t('board.percent', { n: percent(each.uplink_loss) }))

/** Of today only the time. */
export function whenWords(wallMs: number, locale: string, nowMs: number, t: Translate): string {
  if (daysUntil(wallMs, nowMs) !== 0) return momentOf(wallMs, locale, nowMs)
  return t('board.today', { time: timeWords(wallMs, locale) })
}

export const timeWords = (wallMs: number, locale: string): string => new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hour12: false }).format(wallMs)

/** How many items passed, to look at, failed or were left out; none that there is not. */
export function checkCounts(checked: Checked): { verdict: CheckVerdict; n: number }[] {
  const order: CheckVerdict[] = ['passed', 'failed', 'warning', 'skipped']
  return order.map((verdict) => ({ verdict, n: checked.items.filter((each) => each.verdict === verdict).length })).filter(({ n }) => n > 0)
}

export function cameraWords(each: FetchedCamera, t: Translate): string {
  const fault = each.fault === null ? '' : t(`board.fault.${each.fault}`)
  return [each.is_main ? t('board.cameraMain') : '', t(`board.camera.${each.state}`), fault].filter(Boolean).join(t('common.comma'))
}

export function eventWords(event: VenueEvent, t: Translate): string {
  if (event.path !== null) return t('board.pathEvent', { path: t(`board.path.${event.path}`) })
  return t(`board.reason.${event.reason ?? 'well'}`, { n: 1 })
}

/** What the operator is told to do, as one message. */
export function stepsMessage(each: VenueHealth, t: Translate): string {
  const steps = each.steps.filter((step) => !DESKS_OWN.includes(step))
  const lines = steps.map((step, at) => t('board.stepText', { n: at + 1, title: t(`board.step.${step}.title`), text: t(`board.step.${step}.text`) }))
  return t('board.stepsText', { reason: reasonWords(each, t), steps: lines.join('\n') })
}

/** Somebody must be there to read it, and there must be something that they can do. */
export const canSendSteps = (each: VenueHealth): boolean => each.participant_ids.length > 0 && each.reason !== 'away' && each.steps.some((step) => !DESKS_OWN.includes(step))

/** One sentence for all of them, and what it is about. */
export function sentence(venues: readonly VenueHealth[], live: boolean, t: Translate): { title: string; about: VenueHealth | null; text: string; tone: Tone } {
  if (venues.length === 0) return { title: t('board.sentence.none'), about: null, text: t('board.sentence.noneText'), tone: 'off' }
  const count = (verdict: VenueHealth['verdict']): number => venues.filter((each) => each.verdict === verdict).length
  const [well, look, act, absent] = [count('ok'), count('look'), count('act'), count('absent')]
  if (well === venues.length) return { title: well === 1 ? t('board.sentence.oneWell') : t('board.sentence.allWell', { n: well }), about: null, text: t('board.sentence.allWellText'), tone: 'ok' }
  if (absent === venues.length && !live) return { title: t('board.sentence.nobody'), about: null, text: t('board.sentence.nobodyText'), tone: 'off' }
  const first = [...venues].sort((one, two) => two.need - one.need)[0] as VenueHealth
  const alone = act + look + (live ? absent : 0) === 1 && first.reason === 'away'
  const parts = [
    well ? t('board.sentence.well', { n: well }) : '',
    act ? t('board.sentence.act', { n: act }) : '',
    live && absent ? t('board.sentence.absent', { n: absent }) : '',
    look ? t('board.sentence.look', { n: look }) : '',
    !live && absent ? t('board.sentence.absentBefore', { n: absent }) : '',
  ].filter(Boolean)
  const title = alone ? t('board.sentence.away', { name: first.name }) : parts.join(t('common.comma'))
  const about = first.need > 0 ? first : null
  return { title, about, text: about ? whyWords(about, t) : '', tone: about ? toneOf(about) : 'ok' }
}
