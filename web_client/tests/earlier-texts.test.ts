import { describe, expect, it } from 'vitest'
import { paragraphsOf, partsOf, withAgain } from '@/pages/desk/minutes/earlier-texts'

describe('an earlier text beside the present one', () => {
  it('tells what the other one lacks, and how much both have', () => {
    expect(partsOf(['甲', '乙', '丙', '丁'], ['乙', '丙', '戊'])).toEqual([
      { at: 0, texts: ['甲'], lone: true },
      { at: 1, texts: ['乙', '丙'], lone: false },
      { at: 3, texts: ['丁'], lone: true },
    ])
    expect(partsOf([], ['甲'])).toEqual([])
  })

  it('counts what is said twice', () => {
    expect(partsOf(['甲', '甲'], ['甲']).map((each) => each.lone)).toEqual([false, true])
  })

  it('has its paragraphs on lines of their own', () => {
    expect(paragraphsOf('甲\n\n  \n乙')).toEqual(['甲', '乙'])
  })

  it('comes back where it stood', () => {
    expect(withAgain(['甲', '手写', '乙'], 1, ['甲', '乙', '丙'])).toEqual(['甲', '手写', '乙', '丙'])
    expect(withAgain(['手写', '乙'], 0, ['甲', '乙'])).toEqual(['甲', '手写', '乙'])
    expect(withAgain(['手写'], 0, ['甲'])).toEqual(['甲', '手写'])
    expect(withAgain(['手写'], 0, [])).toEqual(['手写'])
    expect(withAgain(['手写'], 7, ['甲'])).toEqual(['甲'])
  })
})
