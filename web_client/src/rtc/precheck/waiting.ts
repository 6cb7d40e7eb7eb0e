/** Waiting that ends early when the pre-check is paused or left. */

export class StoppedError extends Error {}

export function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (stop.aborted) {
      reject(new StoppedError())
      return
    }
    const ended = (): void => {
      clearTimeout(timer)
      reject(new StoppedError())
    }
    const timer = setTimeout(() => {
      stop.removeEventListener('abort', ended)
      resolve()
    }, ms)
    stop.addEventListener('abort', ended, { once: true })
  })
}

export function whenStopped<T>(stop: AbortSignal, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    if (stop.aborted) {
      reject(new StoppedError())
      return
    }
    stop.addEventListener('abort', () => reject(new StoppedError()), { once: true })
    promise.then(resolve, reject)
  })
}
