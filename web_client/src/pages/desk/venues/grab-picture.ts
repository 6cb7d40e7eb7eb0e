/** One small picture of a stream. */
export const STILL_WIDTH = 320
const PATIENCE_MS = 6000

/** null when none comes in time. */
export async function grabPicture(stream: MediaStream): Promise<ImageBitmap | null> {
  const video = document.createElement('video')
  video.muted = true
  video.playsInline = true
  video.srcObject = stream
  try {
    await video.play().catch(() => undefined)
    if (!(await shown(video))) return null
    return await createImageBitmap(video, { resizeWidth: STILL_WIDTH, resizeQuality: 'medium' })
  } finally {
    video.srcObject = null
  }
}

/** Whether a picture came. */
function shown(video: HTMLVideoElement): Promise<boolean> {
  return new Promise((done) => {
    const late = setTimeout(() => done(false), PATIENCE_MS)
    const come = (): void => {
      clearTimeout(late)
      done(true)
    }
    if ('requestVideoFrameCallback' in video) video.requestVideoFrameCallback(come)
    else (video as HTMLVideoElement).addEventListener('timeupdate', come, { once: true })
  })
}
