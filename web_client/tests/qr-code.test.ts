import { describe, expect, it } from 'vitest'
import { qrPath } from '@/components/qr-code'

describe('a QR code', () => {
  it('has a corner square behind a quiet zone of four modules', () => {
    const drawing = qrPath('a')
    expect(drawing?.size).toBe(21 + 2 * 4)
    expect(drawing?.path.startsWith('M4 4h7v1h-7z')).toBe(true)
  })

  it('grows with the text, up to what is read from a screen', () => {
    expect(qrPath('q'.repeat(666))?.size).toBe(17 + 4 * 20 + 2 * 4)
    expect(qrPath('q'.repeat(667))).toBeNull()
  })

  it('takes Chinese as well', () => {
    expect(qrPath('政协远程协商'.repeat(10))?.path).not.toBe('')
  })
})
