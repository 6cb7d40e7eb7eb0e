import { describe, expect, it } from 'vitest'
import { chinese as zhCN, english as en } from '@/i18n/texts'

type Tree = { [key: string]: string | Tree }

function flat(tree: Tree, path = ''): Map<string, string> {
  const all = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    const at = path ? `${path}.${key}` : key
    if (typeof value === 'string') all.set(at, value)
    else for (const [inner, text] of flat(value, at)) all.set(inner, text)
  }
  return all
}

const chinese = flat(zhCN)
const english = flat(en)
const places = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '').sort()

describe('texts', () => {
  it('have every key in both languages', () => {
    expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort())
  })

  it('have the same places to fill in', () => {
    for (const [key, text] of chinese) expect(places(english.get(key) ?? ''), key).toEqual(places(text))
  })

  it('are not empty, do not shout, and show no codes', () => {
    for (const [key, text] of [...chinese, ...english]) {
      expect(text.trim(), key).not.toBe('')
      expect(text, key).not.toMatch(/[!！]/)
    }
    for (const [key, text] of chinese) expect(text, key).not.toMatch(/系统错误|error/i)
  })
})
