import { encode } from 'uqr'

const QUIET_ZONE = 4
const MOST_VERSION = 20 // finer ones no telephone reads from a screen

/** A text as a QR code (ISO/IEC 18004, 15 % repairable): one path in units of a module, a quiet zone around; null when the text is too long. */
export function qrPath(text: string): { size: number; path: string } | null {
  let modules: boolean[][]
  try {
    modules = encode(text, { ecc: 'M', border: QUIET_ZONE, maxVersion: MOST_VERSION }).data
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
  const parts: string[] = []
  modules.forEach((row, y) => {
    row.forEach((dark, x) => {
      if (!dark || row[x - 1]) return
      let end = x
      while (row[end]) end += 1
      parts.push(`M${x} ${y}h${end - x}v1h-${end - x}z`)
    })
  })
  return { size: modules.length, path: parts.join('') }
}
