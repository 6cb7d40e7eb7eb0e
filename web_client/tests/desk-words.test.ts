import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Attendee } from '@/api/attendance'
import type { TraceLine } from '@/api/trace'
import { i18n } from '@/i18n'
import { axisOf, lengthWords, noteWords, stretch } from '@/pages/desk/attendance/attendance-words'
import { dayText, endInstant, instant, timeText } from '@/pages/desk/prepare/local-time'
import { ACTIONS } from '@/pages/desk/trace/actions'
import { actionWords, actorWords, subjectWords } from '@/pages/desk/trace/trace-words'
import { placeOf } from '@/stores/place'

const { t, te } = i18n.global
const words = { t, te: (key: string) => te(key, 'zh-CN') }

describe('day and time of native fields', () => {
  it('go to an instant and back', () => {
    const at = instant('2026-11-20', '14:30')
    expect(at).not.toBeNull()
    expect([dayText(at), timeText(at)]).toEqual(['2026-11-20', '14:30'])
  })

  it('make no instant before both are there', () => {
    expect(instant('2026-11-20', '')).toBeNull()
    expect(instant('', '14:30')).toBeNull()
    expect([dayText(null), timeText(null)]).toEqual(['', ''])
  })

  it('let an end before its start be on the next day', () => {
    const late = endInstant('2026-11-20', '22:00', '01:00')
    expect([dayText(late), timeText(late)]).toEqual(['2026-11-21', '01:00'])
    expect(dayText(endInstant('2026-11-20', '14:30', '17:00'))).toBe('2026-11-20')
  })
})

describe('attendance in words', () => {
  it('says lengths of time without empty parts', () => {
    expect([0, 31_000, 300_000, 552_000].map((ms) => lengthWords(ms, t))).toEqual(['', '31 秒', '5 分', '9 分 12 秒'])
  })

  it('says what is to be said about somebody', () => {
    expect(noteWords({ code: 'late', ms: 7 * 60_000 }, t)).toBe('迟到 7 分钟')
    expect(noteWords({ code: 'dropped', ms: 18_000, count: 1 }, t)).toBe('断线 18 秒')
    expect(noteWords({ code: 'dropped', ms: 180_000, count: 2 }, t)).toBe('断线 3 分钟')
    expect(noteWords({ code: 'excused' }, t)).toBe('未到，已请假')
  })

  it('lays stays on the time of the meeting, cut at its ends and never invisible', () => {
    const axis = { from: 1000, to: 2000 }
    expect(stretch(axis, 500, 1500, 100)).toEqual({ x: 0, width: 50 })
    expect(stretch(axis, 100, 900, 100)).toBeNull()
    expect(stretch(axis, 1500, 1500.01, 100)?.width).toBeGreaterThan(0.1)
  })

  it('begins with the first entry before the meeting began', () => {
    const early = { sessions: [{ from_wall_ms: 5000 }] } as Attendee
    expect(axisOf([early], null, null, 200_000)).toEqual({ from: 5000, to: 200_000 })
    expect(axisOf([early], 9000, 90_000, 200_000)).toEqual({ from: 9000, to: 90_000 })
    expect(axisOf([], null, null, 5000)).toEqual({ from: 5000, to: 65_000 })
  })
})

describe('the trace in words', () => {
  const line = (more: Partial<TraceLine>): TraceLine => ({
    number: 1,
    at_ms: 0,
    program_time_ms: null,
    actor_kind: 'participant',
    actor_id: 'p1',
    action: 'floor.granted',
    subject: 'p2',
    content: { by_role: 'chair' },
    names: { by_name: '周正明' },
    hash: '',
    ...more,
  })

  it('names who did it, also where the name of this line was deleted', () => {
    expect(actorWords(line({}), new Map(), words)).toEqual({ name: '周正明', role: '主持人' })
    expect(actorWords(line({ names: {} }), new Map([['p1', '周主席']]), words).name).toBe('周主席')
    expect(actorWords(line({ names: {}, actor_kind: 'system', actor_id: null, content: {} }), new Map(), words)).toEqual({ name: '系统', role: '' })
  })

  it('names what it was about', () => {
    expect(subjectWords(line({}), new Map([['p2', '林文博']]), words)).toBe('林文博')
    expect(subjectWords(line({ action: 'agenda.started', subject: 'a1', content: { title: '互动讨论' } }), new Map(), words)).toBe('互动讨论')
  })

  it('says which stretch the public does not see, and what was directed', () => {
    const cut = line({ action: 'broadcast.withdrawn', subject: 'b1', content: { from_ms: 1000, to_ms: 61_000, reason: { salted_sha256: '' } }, names: { reason: '个人证件' } })
    expect(subjectWords(cut, new Map(), words)).toBe('个人证件 · 00:00:01 至 00:01:01')
    expect(subjectWords(line({ action: 'broadcast.cut', subject: 'b1', content: { from_ms: 1000 }, names: {} }), new Map(), words)).toBe('00:00:01 起')
    const directed = line({ action: 'program.directed', subject: 'c1', content: { mode: 'manual', layout: 'side', people: ['p2', 'p3'] } })
    expect(subjectWords(directed, new Map([['p2', '林文博']]), words)).toBe('手动 · 两方并列 · 林文博')
    expect(subjectWords(line({ action: 'program.captions_switched', content: { on: true } }), new Map(), words)).toBe('已打开')
  })

  it('has words for every action that the services write', () => {
    // vitest runs in web_client.
    const folder = resolve(process.cwd(), '../conference/services')
    const sources = readdirSync(folder).filter((name) => name.endsWith('.py')).map((name) => readFileSync(`${folder}/${name}`, 'utf8'))
    // What goes to the log looks the same and is no line of the trace.
    const traced = sources.map((text) => text.replace(/\blog\.\w+\(\s*"[a-z_.]+"/g, ''))
    // Entries are written as entry(room, actor, "thing.happened", …), AuditEntry(…, "thing.happened", …) and the like.
    const written = new Set(traced.flatMap((text) => [...text.matchAll(/"((?:consultation|rehearsal|file|camera|clip|venue|precheck|screen|invitees?|import|link|code|participant|room|hand|floor|agenda|statement|attendance|program|recording|broadcast|comment|identity|promotion|export|captions|transcript|terms|minutes|token|audit|user|organization)\.[a-z_]+)"/g)].map((match) => match[1] ?? '')))
    expect(written.size).toBeGreaterThan(30)
    expect([...written].filter((action) => !ACTIONS.includes(action))).toEqual([])
    for (const action of ACTIONS) expect(actionWords(action, words)).not.toBe(action)
  })
})

describe('places of the desk', () => {
  it('have addresses of their own', () => {
    expect(['/desk/c1', '/desk/c1/', '/desk/c1/prepare', '/desk/c1/attendance', '/desk/c1/trace', '/desk/c1/nowhere'].map(placeOf)).toEqual(['run', 'run', 'prepare', 'attendance', 'trace', 'run'])
  })
})
