import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { CommentError } from '@/api/public-comments'
import type { IdentityKind, Proof } from '@/api/viewer-identity'
import { i18n } from '@/i18n'
import { authorText } from '@/pages/desk/comments/comment-words'
import { publicZhCN } from '@/i18n/public.zh-CN'
import { keepText, keptKey, readText } from '@/pages/public/comments/kept'
import { refusalWords } from '@/pages/public/identity/identity-words'
import { isWechat, masked, returned, usable, useIdentity, withoutReturn } from '@/pages/public/identity/use-identity'

const STATE = 'a1'.repeat(16)
const WECHAT_AGENT = 'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/116 Mobile Safari/537.36 MicroMessenger/8.0.47'
let number = 0

function outside() {
  const said = { begun: [] as string[], finished: [] as string[], left: [] as string[], proven: 0, known: null as IdentityKind | null, refuse: null as CommentError | null, url: null as string | null }
  const answer = async <T>(value: T): Promise<T> => {
    await Promise.resolve()
    if (said.refuse) throw said.refuse
    return value
  }
  const api = {
    begin: (_cid: string, kind: IdentityKind, phone = ''): Promise<Proof> => {
      said.begun.push(`${kind} ${phone}`)
      return answer({ id: STATE, url: said.url })
    },
    finish: (_cid: string, proof: string, code: string): Promise<IdentityKind> => {
      said.finished.push(`${proof} ${code}`)
      return answer<IdentityKind>(proof === STATE && code.length === 6 ? 'phone' : 'wechat')
    },
    look: (): Promise<IdentityKind | null> => answer(said.known),
  }
  return { said, api, leave: (url: string) => void said.left.push(url) }
}

/** A page of one consultation; `again` is the same after a reload. */
function opened(cid = `c${(number += 1)}`) {
  const there = outside()
  return { cid, ...there, identity: useIdentity(cid, () => void (there.said.proven += 1), there) }
}

describe('who a viewer is', () => {
  beforeEach(() => {
    const store = new Map<string, string>()
    vi.stubGlobal('window', {
      location: { search: '', href: 'https://x.example/live/c' },
      history: { state: null, replaceState: vi.fn() },
      localStorage: { getItem: (key: string) => store.get(key) ?? null, setItem: (key: string, text: string) => void store.set(key, text), removeItem: (key: string) => void store.delete(key) },
    })
  })
  afterEach(() => void vi.unstubAllGlobals())

  it('is shown by a code, and remembered', async () => {
    const { identity, said, cid } = opened()
    expect(await identity.begin('phone', '138 0013 8000')).toBe(true)
    expect(said.begun).toEqual(['phone 138 0013 8000'])
    expect(identity.proof.value).toBe(STATE)
    expect(await identity.finish('123456')).toBe(true)
    expect([identity.kind.value, identity.proof.value, said.proven]).toEqual(['phone', null, 1])
    expect(opened(cid).identity.kind.value).toBe('phone')
    expect(opened().identity.kind.value).toBeNull()
  })

  it('goes on with the code after a reload', async () => {
    const first = opened()
    await first.identity.begin('phone', '13800138000')
    const again = opened(first.cid)
    expect(again.identity.proof.value).toBe(STATE)
    await again.identity.finish('123456')
    expect(again.identity.kind.value).toBe('phone')
  })

  it('says what was refused, and lets go of a code that is good no more', async () => {
    const { identity, said } = opened()
    await identity.begin('phone', '13800138000')
    said.refuse = new CommentError('identity_wrong', 422)
    expect(await identity.finish('000000')).toBe(false)
    expect([identity.refused.value?.code, identity.proof.value]).toEqual(['identity_wrong', STATE])
    said.refuse = new CommentError('identity_lapsed', 409)
    await identity.finish('000000')
    expect([identity.refused.value?.code, identity.proof.value]).toEqual(['identity_lapsed', null])
    expect(await identity.finish('000000')).toBe(false)
    expect(said.finished).toHaveLength(2)
  })

  it('asks once at a time', async () => {
    const { identity, said } = opened()
    await Promise.all([identity.begin('phone', '1'), identity.begin('phone', '1')])
    expect(said.begun).toHaveLength(1)
    expect(identity.busy.value).toBe(false)
  })

  it('leaves for WeChat, and takes what it came back with out of the address', async () => {
    const first = opened()
    first.said.url = 'https://open.weixin.qq.com/connect'
    await first.identity.begin('wechat')
    expect(first.said.left).toEqual(['https://open.weixin.qq.com/connect'])
    expect(first.identity.proof.value).toBeNull()

    Object.assign(window.location, { search: `?text=1&code=071abcdef&state=${STATE}`, href: `https://x.example/live/c?text=1&code=071abcdef&state=${STATE}#x` })
    const back = opened(first.cid)
    await vi.waitFor(() => expect(back.identity.kind.value).toBe('wechat'))
    expect(back.said.finished).toEqual([`${STATE} 071abcdef`])
    expect(window.history.replaceState).toHaveBeenCalledExactlyOnceWith(null, '', '/live/c?text=1#x')
  })

  it('says when WeChat did not confirm it', async () => {
    Object.assign(window.location, { search: `?code=071&state=${STATE}`, href: `https://x.example/live/c?code=071&state=${STATE}` })
    const there = outside()
    there.said.refuse = new CommentError('identity_lapsed', 409)
    const identity = useIdentity('wx', () => void 0, there)
    await vi.waitFor(() => expect(identity.refused.value?.code).toBe('wechat'))
    expect(identity.kind.value).toBeNull()
  })

  it('believes the server, not what is remembered', async () => {
    const { identity, cid, said } = opened()
    await identity.begin('phone', '13800138000')
    await identity.finish('123456')
    identity.forget()
    expect([identity.kind.value, readText(keptKey('identity', cid))]).toEqual([null, ''])
    said.known = 'phone'
    await identity.look()
    expect(identity.kind.value).toBe('phone')
  })

  it('takes nothing else for what was remembered', () => {
    keepText(keptKey('identity', 'odd'), '<b>')
    expect(opened('odd').identity.kind.value).toBeNull()
  })

  it('offers WeChat in WeChat', () => {
    const offer = { kinds: ['phone' as const, 'wechat' as const], required: false }
    expect(usable(offer, 'Mozilla/5.0 Chrome/120')).toEqual(['phone'])
    expect(usable(offer, WECHAT_AGENT)).toEqual(['phone', 'wechat'])
    expect(isWechat(WECHAT_AGENT)).toBe(true)
  })

  it('knows what comes back from WeChat', () => {
    expect(returned(`?code=x&state=${STATE}`)).toEqual({ code: 'x', state: STATE })
    for (const other of ['', '?code=x', `?state=${STATE}`, '?code=x&state=..%2F', `?code=&state=${STATE}`, `?code=x&state=${STATE}a`]) expect(returned(other)).toBeNull()
    expect(withoutReturn('https://x.example/live/c?code=1&state=2')).toBe('/live/c')
  })

  it('shows a number in part', () => {
    expect(masked('+86 138-0013-8000')).toBe('138****8000')
    expect(masked('１３８００１３８０００')).toBe('138****8000')
  })

  it('has words for every refusal', () => {
    const t = (key: string, values?: Record<string, unknown>): string => {
      const text = key.split('.').reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], publicZhCN)
      return Object.entries(values ?? {}).reduce((now, [name, value]) => now.replace(`{${name}}`, String(value)), text as string)
    }
    expect(refusalWords(t, { code: 'rate_limited', retryS: 42 })).toBe('获取得太频繁，请 42 秒后再试')
    expect(refusalWords(t, { code: 'rate_limited', retryS: 3600 })).toBe('获取次数过多，请 60 分钟后再试')
    expect(refusalWords(t, { code: 'identity_wrong', retryS: null })).toBe('验证码不对，请核对后再输入')
    expect(refusalWords(t, { code: 'what', retryS: null })).toBe('没有成功，请稍后再试')
  })

  it('is a sign for moderators', () => {
    const { t } = i18n.global
    const author = { nickname: '老李', region: '南坪镇' }
    expect(authorText(author, t)).toBe('老李 · 南坪镇')
    expect(authorText({ ...author, identity: null }, t)).toBe('老李 · 南坪镇')
    expect(authorText({ ...author, identity: 'phone' }, t)).toBe('老李 · 南坪镇 · 已验证手机')
    expect(authorText({ ...author, region: null, identity: 'wechat' }, t)).toBe('老李 · 已验证微信')
  })
})
