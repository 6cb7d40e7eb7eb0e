/** What the browser is: whether it can take part at all, and whether it sits inside another app. */

export function canTakePart(): boolean {
  return 'RTCPeerConnection' in window && 'addTransceiver' in RTCPeerConnection.prototype && 'WebSocket' in window
}

const IN_APP = /MicroMessenger|QQ\/|Weibo|DingTalk|AlipayClient|aweme|FBAN|FBAV|Line\//i

/** WeChat and the like: camera and microphone often do not work inside them. */
export function inApp(): boolean {
  return IN_APP.test(navigator.userAgent)
}

export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    // Insecure pages and old in-app browsers have no clipboard of their own.
    const field = document.createElement('textarea')
    field.value = text
    field.readOnly = true
    field.className = 'sr'
    document.body.append(field)
    field.select()
    const done = document.execCommand('copy')
    field.remove()
    return done
  }
}
