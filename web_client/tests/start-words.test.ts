import { describe, expect, it } from 'vitest'
import type { SessionInfo } from '@/api/session'
import { startWords } from '@/pages/room/start-words'

const t = (key: string, values?: Record<string, unknown>): string =>
  values ? `${key}(${Object.values(values).join()})` : key
const now = new Date(2026, 10, 22, 14, 18).getTime()

function info(at: number | null, status = 'scheduled', participants = 0): SessionInfo {
  return {
    consultation: { id: 'demo', title: '', status, mode: 'free', scheduled_at_ms: at, organization: null },
    name: '',
    role: 'member',
    venue: null,
    room_full: false,
    participants,
  }
}

describe('when it starts', () => {
  it('counts the minutes when it is soon', () => {
    const words = startWords(info(now + 12 * 60_000, 'scheduled', 3), 'zh-CN', t, now)
    expect(words).toEqual({ head: 'join.starts(14:30)', tail: 'join.inMinutes(12)，join.present(3)' })
  })

  it('names the day when it is another one', () => {
    expect(startWords(info(now + 3 * 86_400_000), 'zh-CN', t, now).head).toContain('join.startsOn')
  })

  it('says nothing of a time that is not set, and that it runs', () => {
    expect(startWords(info(null), 'zh-CN', t, now)).toEqual({ head: '', tail: 'join.nobody' })
    expect(startWords(info(now, 'live'), 'zh-CN', t, now).head).toBe('join.running')
  })
})
