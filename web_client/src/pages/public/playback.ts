/** Playing the program in a video element: hls.js where there is MSE, else the browser's own HLS (iPhones, WeChat). */

export type Quality = 'auto' | '720p' | '360p' | 'audio'
export type Trouble = 'network' | null

export interface Source {
  /** the master playlist */
  url: string
  live: boolean
}

export interface Playback {
  readonly kind: 'hls' | 'native'
  /** UTC of what is shown now, from EXT-X-PROGRAM-DATE-TIME; null while nothing is known. */
  wallMs(): number | null
  choose(quality: Quality): void
  /** To the newest there is. */
  toEdge(): void
  close(): void
}

export type Means = 'hls' | 'native' | null

const CODECS = 'video/mp4; codecs="avc1.64001f,mp4a.40.2"'

/** How this browser can play it. ManagedMediaSource (newer iPhones) is left to the native player, which goes on in the background. */
export function means(search: string = window.location.search): Means {
  const native = document.createElement('video').canPlayType('application/vnd.apple.mpegurl') !== ''
  if (new URLSearchParams(search).get('native') === '1') return 'native'
  if (typeof MediaSource !== 'undefined' && MediaSource.isTypeSupported(CODECS)) return 'hls'
  return native ? 'native' : null
}

/** The playlist of one rendition lies beside the master, that of a replay in a folder of its own. */
export function renditionUrl({ url, live }: Source, quality: Quality): string {
  return quality === 'auto' ? url : url.replace(/index\.m3u8$/, `${live ? '' : 'replay/'}${quality}.m3u8`)
}

export async function open(how: 'hls' | 'native', video: HTMLVideoElement, source: Source, quality: Quality, onTrouble: (trouble: Trouble) => void): Promise<Playback> {
  if (how === 'native') return (await import('./native-playback')).openNative(video, source, quality, onTrouble)
  return (await import('./hls-playback')).openHls(video, source, quality, onTrouble)
}
