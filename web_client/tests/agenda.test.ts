import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import type { AgendaItem } from '@/api/messages'
import { RequestError } from '@/api/room-socket'
import { i18n } from '@/i18n'
import { useAgenda } from '@/stores/agenda'
import { useLine } from '@/stores/line'
import { useNotices } from '@/stores/notices'
import { useRoom } from '@/stores/room'
import { agendaItem, snapshot } from './fakes'

let sent: { name: string; payload: unknown }[]
let refuses: string | null

function change(items: AgendaItem[]): void {
  const room = useRoom()
  room.apply({ name: 'agenda.updated', payload: { version: (room.state?.version ?? 0) + 1, agenda: items } })
}

beforeEach(() => {
  setActivePinia(createPinia())
  sent = []
  refuses = null
  useRoom().take(snapshot({ version: 7, agenda: [agendaItem('a1', { title: '通报', state: 'pending' })] }))
  useLine().use({
    request: (name, payload) => {
      sent.push({ name, payload })
      return refuses ? Promise.reject(new RequestError(refuses)) : Promise.resolve({ agenda: useRoom().agenda ?? [] } as never)
    },
  })
})

describe('of two who change the agenda', () => {
  it('every step says what was seen', async () => {
    await useAgenda().next()
    await useAgenda().start('a1')
    change([agendaItem('a1', { title: '通报', state: 'current' })])
    await useAgenda().end()
    expect(sent).toEqual([
      { name: 'agenda.next', payload: { version: 7 } },
      { name: 'agenda.start', payload: { item_id: 'a1', version: 7 } },
      { name: 'agenda.end', payload: { version: 8 } },
    ])
  })

  it('who wrote over what another wrote meanwhile says the version from before, and is told', async () => {
    const agenda = useAgenda()
    const before = agenda.seen()
    change([agendaItem('a1', { title: '情况通报', state: 'pending' })])
    refuses = 'conflict'
    expect(await agenda.write([], before)).toBe('stale')
    expect(sent).toEqual([{ name: 'agenda.set', payload: { items: [], version: 7 } }])
    expect(useNotices().toasts.map((each) => each.text)).toEqual([i18n.global.t('toast.agendaConflict')])
    await agenda.write([], agenda.seen())
    expect(sent[1]).toEqual({ name: 'agenda.set', payload: { items: [], version: 8 } })
  })

  it('the meeting going on meanwhile is no other agenda', async () => {
    const agenda = useAgenda()
    const before = agenda.seen()
    change([agendaItem('a1', { title: '通报', state: 'current' })])
    expect(await agenda.write([], before)).toEqual(useRoom().agenda)
    expect(sent).toEqual([{ name: 'agenda.set', payload: { items: [], version: 8 } }])
  })

  it('another refusal keeps what was written', async () => {
    refuses = 'storage_unavailable'
    expect(await useAgenda().write([], useAgenda().seen())).toBeNull()
  })
})
