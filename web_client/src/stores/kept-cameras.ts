/** What a venue's computer remembers of its cameras: name, whether it is sent, and whether it is the main one. */

export interface KeptCamera {
  /** the place in which it was first seen: its name until it is given another */
  number: number
  label?: string
  on: boolean
  main: boolean
}

const KEY = 'yuanshang.venue-cameras'

export function readCameras(): Record<string, KeptCamera> {
  try {
    const read: unknown = JSON.parse(window.localStorage.getItem(KEY) ?? '{}')
    return typeof read === 'object' && read !== null ? (read as Record<string, KeptCamera>) : {}
  } catch {
    return {}
  }
}

export function keepCameras(cameras: Record<string, KeptCamera>): void {
  try {
    window.localStorage.setItem(KEY, JSON.stringify(cameras))
  } catch {
    // Private windows may refuse storage; names then last as long as the page.
  }
}

export function nextNumber(cameras: Record<string, KeptCamera>): number {
  const taken = new Set(Object.values(cameras).map((each) => each.number))
  let number = 1
  while (taken.has(number)) number += 1
  return number
}

/** Others tell cameras apart by their names alone, so no two are the same. */
export function uniqueLabel(label: string, others: readonly string[]): string {
  const wished = label || '1'
  if (!others.includes(wished)) return wished
  let number = 2
  while (others.includes(`${wished} ${number}`)) number += 1
  return `${wished} ${number}`
}
