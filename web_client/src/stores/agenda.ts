/** Writing the agenda and walking through it. Of two at once the later one is told, and sees what the other did. */
import { defineStore } from 'pinia'
import type { AgendaDraft, AgendaItem } from '@/api/messages'
import { RequestError } from '@/api/room-socket'
import { useLine } from './line'
import { useRoom } from './room'

/** What somebody had before them who began to write. */
export interface SeenAgenda {
  version: number | undefined
  content: string
}

/** What is written down of items; what becomes of them in the meeting is no other agenda. */
function contentOf(items: readonly AgendaItem[]): string {
  return JSON.stringify(
    items.map((each) => [each.id, each.title, each.kind, each.planned_minutes, each.planned_start_wall_ms, each.speaker]),
  )
}

export const useAgenda = defineStore('agenda', () => {
  const line = useLine()
  const room = useRoom()

  const now = (): { version?: number } => (room.state ? { version: room.state.version } : {})
  const seen = (): SeenAgenda => ({ version: room.state?.version, content: contentOf(room.agenda ?? []) })

  /** The agenda as it is then; stale: somebody else wrote it since `before`; null after another refusal. Both are said. */
  async function write(items: AgendaDraft[], before: SeenAgenda): Promise<AgendaItem[] | 'stale' | null> {
    const version = contentOf(room.agenda ?? []) === before.content ? room.state?.version : before.version
    try {
      return (await line.request('agenda.set', { items, ...(version === undefined ? {} : { version }) })).agenda
    } catch (error) {
      line.say(error, 'agenda.set')
      return error instanceof RequestError && error.code === 'conflict' ? 'stale' : null
    }
  }

  const next = (): Promise<unknown> => line.ask('agenda.next', now())
  const end = (): Promise<unknown> => line.ask('agenda.end', now())
  const start = (itemId: string): Promise<unknown> => line.ask('agenda.start', { item_id: itemId, ...now() })

  return { seen, write, next, end, start }
})
