import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { qrModules, qrPath, type Modules } from '@/components/qr-code'

const digest = (modules: Modules | null): string =>
  createHash('sha256')
    .update((modules ?? []).map((row) => row.map((dark) => (dark ? '1' : '0')).join('')).join('\n'))
    .digest('hex')
    .slice(0, 16)

/** As segno 1.6 draws them, without the byte of zeros that it adds before the padding. */
const KNOWN: [text: string, mask: number, version: number, digest: string][] = [
  ['https://yuanshang.example/j/7HKQ2MXP', 3, 3, '3175d64834b97333'],
  ['https://yuanshang.example/j/7HKQ2MXP', 5, 3, '428a362ad4c1ad43'],
  ['a', 3, 1, '8503acd70f562cac'],
  ['z'.repeat(84), 3, 5, '65b12ae48b19ded0'],
  ['w'.repeat(122), 5, 7, '2696110700eddd4f'],
  ['政协远程协商'.repeat(10), 3, 9, 'abec0408f44f1250'],
  [`https://192.168.1.20:8443/room/c1#token=${'eyJhbGciOiJIUzI1NiJ9.'.repeat(18)}`, 5, 16, '8e813c11d52cb031'],
  ['q'.repeat(666), 3, 20, 'f5392f36a46c32cf'],
]

describe('a QR code', () => {
  it.each(KNOWN)('of %s under mask %i is that of version %i', (text, mask, version, known) => {
    const modules = qrModules(text, mask)
    expect(modules).toHaveLength(17 + 4 * version)
    expect(digest(modules)).toBe(known)
  })

  it('takes a mask by itself, and is the same every time', () => {
    const text = 'https://yuanshang.example/j/7HKQ2MXP'
    const chosen = digest(qrModules(text))
    expect(digest(qrModules(text))).toBe(chosen)
    expect(Array.from({ length: 8 }, (_, mask) => digest(qrModules(text, mask)))).toContain(chosen)
  })

  it('is none where the text is too long', () => {
    expect(qrModules('q'.repeat(667))).toBeNull()
  })

  it('has a quiet zone around', () => {
    const { size, path } = qrPath(qrModules('a') ?? [])
    expect(size).toBe(21 + 8)
    expect(path.startsWith('M4 4h7v1h-7z')).toBe(true)
  })
})
