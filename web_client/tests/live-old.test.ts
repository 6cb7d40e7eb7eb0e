import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

const SCRIPT = readFileSync('public/live-old.js', 'utf8')
const PAGE = { title: '推进养老服务', status: 'live', cut: false, agenda: [], current_item: null, speaker: null, started_wall_ms: 0, comments: { state: 'open' } }

interface Sent {
  method: string
  path: string
  body: { text: string; key: string } | null
}

/** What the script finds outside: a server that answers by path. */
let answers: Record<string, () => [number, unknown]>
let sent: Sent[]

class FakeRequest {
  readyState = 0
  status = 0
  responseText = ''
  timeout = 0
  onreadystatechange: () => void = () => undefined
  private method = ''
  private path = ''
  open(method: string, path: string): void {
    Object.assign(this, { method, path })
  }
  setRequestHeader(): void {
    // Nothing is read from it.
  }
  send(body: string | null): void {
    const path = this.path.replace('/api/v1/public/consultations/c1', '')
    sent.push({ method: this.method, path, body: body === null ? null : (JSON.parse(body) as Sent['body']) })
    const [status, answer] = answers[`${this.method} ${path}`]?.() ?? [200, { items: [] }]
    queueMicrotask(() => {
      Object.assign(this, { readyState: 4, status, responseText: JSON.stringify(answer) })
      this.onreadystatechange()
    })
  }
}

/** The page as it is opened, or opened again. */
async function open(): Promise<void> {
  document.body.innerHTML = '<div id="app"></div>'
  window.history.replaceState(null, '', '/live/c1?old=1')
  new Function(SCRIPT)()
  await settle()
}
const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)
const field = (): HTMLTextAreaElement => document.querySelector('textarea') as HTMLTextAreaElement
const says = (): string => document.querySelector('[role=status]')?.textContent ?? ''
const posted = (): Sent[] => sent.filter((each) => each.method === 'POST')

async function write(text: string): Promise<void> {
  field().value = text
  field().oninput?.(new Event('input'))
  ;(document.querySelector('form') as HTMLFormElement).onsubmit?.(new Event('submit') as SubmitEvent)
  await settle()
}

describe('the page for browsers that are too old', () => {
  beforeEach(() => {
    vi.useFakeTimers()
    vi.stubGlobal('XMLHttpRequest', FakeRequest)
    window.localStorage.clear()
    sent = []
    answers = { 'GET ': () => [200, PAGE], 'POST /comments': () => [202, { id: 'm1', status: 'pending' }] }
  })
  afterEach(() => {
    vi.clearAllTimers()
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })

  it('sends a comment once it can, under one key', async () => {
    const tries: (() => [number, unknown])[] = [() => [0, null], () => [503, { code: 'overloaded' }], () => [202, { id: 'm1', status: 'pending' }]]
    answers['POST /comments'] = () => (tries.shift() as () => [number, unknown])()
    await open()
    await write('能不能安排夜间巡访？')
    expect([says(), field().readOnly]).toEqual(['网络不稳，联网后自动发出', true])
    await settle(5000)
    await settle(5000)
    expect(says()).toBe('已收到，审核后显示')
    expect([field().value, field().readOnly]).toEqual(['', false])
    expect(posted()).toHaveLength(3)
    expect(new Set(posted().map((each) => each.body?.key)).size).toBe(1)
    await settle(60_000)
    expect(posted()).toHaveLength(3)
  })

  it('is made known to the server before it sends anything', async () => {
    answers['GET /comments/mine'] = () => [500, { code: 'internal' }]
    await open()
    await write('一')
    expect([posted(), says()]).toEqual([[], '网络不稳，联网后自动发出'])
    answers['GET /comments/mine'] = () => [200, { items: [] }]
    await settle(5000)
    expect(posted()).toHaveLength(1)
  })

  it('goes on under the same key when it was closed before the answer came', async () => {
    answers['POST /comments'] = () => [0, null]
    await open()
    await write('一')
    vi.clearAllTimers()
    answers['POST /comments'] = () => [202, { id: 'm1', status: 'pending' }]
    await open()
    expect(says()).toBe('已收到，审核后显示')
    expect(new Set(posted().map((each) => each.body?.key)).size).toBe(1)
    await open()
    expect(posted()).toHaveLength(2)
  })

  it('sends nothing by itself that was written since', async () => {
    answers['POST /comments'] = () => [0, null]
    await open()
    await write('一')
    vi.clearAllTimers()
    window.localStorage.setItem('yuanshang.draft.c1', '写到一半')
    await open()
    expect(posted()).toHaveLength(1)
    expect([field().value, field().readOnly]).toEqual(['写到一半', false])
  })

  it('says that who one is has to be shown, before and after', async () => {
    await open()
    const notice = (): HTMLElement => document.querySelector('form p') as HTMLElement
    expect(notice().style.display).toBe('none')
    answers['GET '] = () => [200, { ...PAGE, identity: { kinds: ['phone'], required: true } }]
    answers['POST /comments'] = () => [403, { code: 'identity_required' }]
    await settle(12_000)
    expect(notice().style.display).toBe('')
    await write('一')
    expect(says()).toContain('需要先验证身份')
    expect([field().value, field().readOnly]).toEqual(['一', false])
    await settle(60_000)
    expect(posted()).toHaveLength(1)
  })

  it('waits as long as the server says, and offers no field where nobody may write', async () => {
    let tooFast = true
    answers['POST /comments'] = () => (tooFast ? [429, { code: 'rate_limited', retry_after_s: 30 }] : [202, {}])
    await open()
    await write('一')
    tooFast = false
    await settle(29_000)
    expect(posted()).toHaveLength(1)
    await settle(1000)
    expect(posted()).toHaveLength(2)
    answers['GET '] = () => [200, { ...PAGE, comments: { state: 'closed' } }]
    await settle(12_000)
    expect((document.querySelector('form') as HTMLElement).style.display).toBe('none')
  })
})
