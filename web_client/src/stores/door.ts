/** The door of the room, for those who may let somebody in. */
import { defineStore } from 'pinia'
import type { WaitingPerson } from '@/api/messages'
import { i18n } from '@/i18n'
import { useLine } from './line'
import { useNotices } from './notices'

export const useDoor = defineStore('door', () => {
  const { t } = i18n.global
  const line = useLine()
  const notices = useNotices()

  async function admit({ participant_id: id, name }: WaitingPerson): Promise<void> {
    if (await line.ask('participant.admit', { participant_id: id })) notices.say(t('waiting.admitted', { name }))
  }

  async function admitAll(): Promise<void> {
    const done = await line.ask('participant.admit', { all: true })
    if (done) notices.show(t('waiting.admittedAll', { n: done.admitted }))
  }

  async function refuse({ participant_id: id, name }: WaitingPerson): Promise<void> {
    if (await line.ask('participant.refuse', { participant_id: id })) notices.show(t('waiting.refused', { name }))
  }

  return { admit, admitAll, refuse }
})
