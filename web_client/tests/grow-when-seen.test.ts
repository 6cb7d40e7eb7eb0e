import { createApp, defineComponent, h, nextTick, ref, shallowRef, type App } from 'vue'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { useGrowing } from '@/components/grow-when-seen'

/** The end of the list is in sight as long as the test says so; observing says at once what is so, like a browser. */
class Observer {
  static all: Observer[] = []
  static inSight = false
  readonly watched = new Set<Element>()

  constructor(private readonly tell: (seen: { isIntersecting: boolean }[]) => void) {
    Observer.all.push(this)
  }

  observe(element: Element): void {
    this.watched.add(element)
    this.say()
  }

  unobserve(element: Element): void {
    this.watched.delete(element)
  }

  disconnect(): void {
    this.watched.clear()
  }

  say(): void {
    queueMicrotask(() => this.watched.size > 0 && this.tell([{ isIntersecting: Observer.inSight }]))
  }
}

let app: App | null = null

/** A list whose source has `pages` of `each` rows, of which the first is there. */
function list(pages: number, each: number): { shown: () => number; key: { value: string }; asked: () => number } {
  const rows = shallowRef(Array.from({ length: each }, (_, at) => at))
  const key = ref('')
  let asked = 0
  let shown = { value: [] as number[] }
  const List = defineComponent(() => {
    const end = ref<HTMLElement | null>(null)
    shown = useGrowing(
      end,
      () => rows.value,
      () => key.value,
      () => {
        if (rows.value.length >= pages * each) return
        asked += 1
        rows.value = Array.from({ length: rows.value.length + each }, (_, at) => at)
      },
    )
    return () => h('p', { ref: end })
  })
  app = createApp(List)
  app.mount(document.createElement('div'))
  return { shown: () => shown.value.length, key, asked: () => asked }
}

async function sees(on: boolean): Promise<void> {
  Observer.inSight = on
  for (const each of Observer.all) each.say()
  for (let turn = 0; turn < 50; turn += 1) await nextTick()
}

beforeEach(() => {
  Observer.all = []
  Observer.inSight = false
  vi.stubGlobal('IntersectionObserver', Observer)
})
afterEach(() => {
  app?.unmount()
  app = null
  vi.unstubAllGlobals()
})

describe('a long list', () => {
  it('shows its beginning until its end is seen', async () => {
    const { shown, asked } = list(1, 200)
    await sees(false)
    expect([shown(), asked()]).toEqual([60, 0])
  })

  it('goes on for as long as its end stays in sight', async () => {
    const { shown } = list(1, 200)
    await sees(true)
    expect(shown()).toBe(200)
  })

  it.each([
    ['a page that ends exactly with what is shown', 60],
    ['a page that is longer', 100],
    ['a page that is shorter', 50],
  ])('goes on after %s', async (_, each) => {
    const { shown, asked } = list(3, each)
    await sees(true)
    expect([shown(), asked()]).toEqual([3 * each, 2])
  })

  it('begins anew with another search', async () => {
    const { shown, key } = list(1, 200)
    await sees(true)
    Observer.inSight = false
    key.value = '陈'
    await nextTick()
    expect(shown()).toBe(60)
  })

  it('watches nothing when it is gone', async () => {
    list(1, 200)
    await sees(false)
    app?.unmount()
    app = null
    expect(Observer.all.map((each) => each.watched.size)).toEqual([0])
  })
})
