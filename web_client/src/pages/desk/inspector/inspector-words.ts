/** The inspector in words that can be read to somebody on the telephone. */
import type { Found, Inspected, MediaPath, ReceivedTrack, SentTrack } from '@/api/inspector'

type Translate = (key: string, values?: Record<string, unknown>) => string

/** 12 %, and a tenth more exactly where it is little. */
export function percent(share: number): string {
  const value = 100 * share
  return value > 0 && value < 9.95 ? (Math.round(value * 10) / 10).toString() : Math.round(value).toString()
}

/** 兆 a second, or 千 where it is less than a tenth of one. */
export function rateWords(bps: number | null, t: Translate): string {
  if (bps === null) return t('inspector.unknown')
  if (bps < 100_000) return t('inspector.kilo', { n: Math.round(bps / 1000) })
  return t('inspector.mega', { n: (Math.round(bps / 100_000) / 10).toFixed(1) })
}

export function foundWords(found: Found, nameOf: (id: string) => string, t: Translate): string {
  const value = found.value ?? 0
  switch (found.finding) {
    case 'uplink_loss':
    case 'downlink_loss':
    case 'freezes':
    case 'broken_sound':
      return t(`inspector.found.${found.finding}`, { p: percent(value) })
    case 'away':
    case 'not_reporting':
    case 'far':
    case 'small_picture':
      return t(`inspector.found.${found.finding}`, { n: Math.round(value) })
    case 'sound_only':
      return t('inspector.found.sound_only', { rate: rateWords(found.value, t) })
    case 'narrow':
      return t('inspector.found.narrow', { rate: rateWords(found.value, t), n: found.count })
    case 'undecodable':
      return t('inspector.found.undecodable', { n: found.count })
    case 'sender':
      return t('inspector.found.sender', { name: nameOf(found.participant_id ?? '') })
    default:
      return t(`inspector.found.${found.finding}`)
  }
}

export const pathWords = (path: MediaPath, t: Translate): string => t(`inspector.path.${path}`)

export function nameWords(each: Inspected, t: Translate): string {
  return each.name ?? t('inspector.player')
}

export function deviceWords(each: Inspected, t: Translate): string {
  if (each.kind === 'whip') return t('people.encoder')
  if (each.kind === 'ingest') return t('cameras.participant')
  if (each.kind === 'clip') return t('clips.kind')
  if (each.kind === 'whep') return t('inspector.playerKind')
  return each.device ? t(`attendance.device.${each.device}`) : each.role ? t(`role.${each.role}`) : ''
}

/** What somebody sees now, in one short line. */
export function seesWords(each: Inspected, t: Translate): string {
  if (each.sound_only) return t('inspector.soundOnly')
  if (each.pictures === 0) return each.sounds > 0 ? t('inspector.onlySounds', { n: each.sounds }) : t('inspector.nothing')
  const largest = each.largest_height ? t('inspector.lines', { n: each.largest_height }) : ''
  const fps = each.largest_fps === null ? '' : t('inspector.frames', { n: Math.round(each.largest_fps) })
  return [t('inspector.pictures', { n: each.pictures }), largest, fps].filter(Boolean).join(t('inspector.comma'))
}

/** One track that somebody sends. */
export function sentWords(track: SentTrack, t: Translate): string {
  if (track.kind === 'audio') {
    if (!track.is_open) return t('inspector.muted')
    return [rateWords(track.bitrate_bps, t), track.codec].filter(Boolean).join(t('inspector.comma'))
  }
  if (track.needed.length === 0) return t('inspector.unneeded')
  if (track.layers.length === 0) return t('inspector.silent')
  const layers = track.layers.map((layer) =>
    [
      layer.height ? `${layer.width}×${layer.height}` : '',
      t('inspector.frames', { n: Math.round(layer.fps) }),
      rateWords(layer.bitrate_bps, t),
    ].filter(Boolean).join(' '),
  )
  return [...layers, track.codec].filter(Boolean).join(t('inspector.comma'))
}

/** One track that somebody is to get. */
export function receivedWords(track: ReceivedTrack, t: Translate): string {
  if (track.state === 'unsupported_codec') return t('inspector.undecodable')
  if (track.layer === null) return t(track.reason === 'bandwidth' ? 'inspector.paused' : 'inspector.waiting')
  const parts = track.kind === 'video' ? pictureParts(track, t) : [rateWords(track.bitrate_bps, t)]
  if (track.loss >= 0.005) parts.push(t('inspector.lost', { p: percent(track.loss) }))
  if (track.freeze) parts.push(t('inspector.freeze', { p: percent(track.freeze) }))
  if (track.concealed) parts.push(t('inspector.concealed', { p: percent(track.concealed) }))
  return parts.filter(Boolean).join(t('inspector.comma'))
}

function pictureParts(track: ReceivedTrack, t: Translate): string[] {
  return [
    track.height ? t('inspector.lines', { n: track.height }) : '',
    track.fps === null ? '' : t('inspector.frames', { n: Math.round(track.fps) }),
    rateWords(track.bitrate_bps, t),
    track.reason === 'bandwidth' ? t('inspector.lowered') : track.temporal < 2 ? t('inspector.thinned') : '',
  ]
}
