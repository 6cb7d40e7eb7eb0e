/** Written statements: those of the room, one's own on their way, and what may be done with each. */
import { defineStore } from 'pinia'
import { computed, markRaw, ref, shallowRef, watch } from 'vue'
import { keep, readKept } from '@/api/keepsake'
import type { Statement } from '@/api/messages'
import { i18n } from '@/i18n'
import { useLine } from './line'
import { useNotices } from './notices'
import { Outbox, type Letter } from './outbox'
import { useRoom } from './room'
import { useSession } from './session'

export type Order = 'newest' | 'liked' | 'mine'
export const LONGEST = 1000
const PAGE = 100

export const useStatements = defineStore('statements', () => {
  const { t } = i18n.global
  const line = useLine()
  const notices = useNotices()
  const room = useRoom()
  const { cid } = useSession()

  const order = ref<Order>('newest')
  const draft = ref(readKept(cid, 'draft', ''))
  const toSecretariat = ref(false)
  const replyTo = ref<Statement | null>(null)
  const waiting = shallowRef<Letter[]>([])
  /** older than the room keeps, asked for page by page */
  const older = ref<Statement[]>([])
  const loading = ref(false)

  const outbox = markRaw(
    new Outbox({
      read: () => readKept<Letter[]>(cid, 'outbox', []),
      keep: (letters) => keep(cid, 'outbox', letters),
      changed: (letters) => (waiting.value = letters),
      send: async ({ key, text, reply_to: reply, private: secret }) => {
        const { statement } = await line.request('statement.add', { key, text, private: secret, ...(reply ? { reply_to: reply } : {}) })
        room.keepStatement(statement)
        notices.say(t('statement.received'))
      },
    }),
  )
  watch(() => line.up, (up) => outbox.line(up), { immediate: true })
  watch(draft, (text) => keep(cid, 'draft', text))

  const all = computed(() => {
    const newest = room.statements ?? []
    const known = new Set(newest.map((each) => each.id))
    return [...older.value.filter((each) => !known.has(each.id)), ...newest]
  })
  const count = computed(() => room.state?.statementCount ?? 0)
  const more = computed(() => all.value.length < count.value)
  const byId = computed(() => new Map(all.value.map((each) => [each.id, each])))

  /** Replies stand under what they answer, so they are not in the list itself, unless that is not here. */
  const shown = computed(() => {
    const list = order.value === 'mine' ? all.value.filter(isMine) : all.value.filter((each) => !each.reply_to || !byId.value.has(each.reply_to))
    const newest = [...list].reverse()
    return order.value === 'liked' ? newest.sort((one, two) => two.likes - one.likes) : newest
  })
  const replies = computed(() => {
    const under = new Map<string, Statement[]>()
    for (const each of all.value) {
      if (each.reply_to) under.set(each.reply_to, [...(under.get(each.reply_to) ?? []), each])
    }
    return under
  })

  function isMine(each: Statement): boolean {
    return each.participant_id === room.myId
  }

  function send(): void {
    const text = draft.value.trim()
    if (!text) return
    outbox.add(text, replyTo.value?.id ?? null, toSecretariat.value)
    draft.value = ''
    replyTo.value = null
    toSecretariat.value = false
  }

  async function like(each: Statement): Promise<void> {
    const done = await line.ask('statement.like', { id: each.id, liked: !each.liked })
    if (done) replace({ ...done.statement, liked: !each.liked })
  }

  async function take(each: Statement): Promise<void> {
    const done = await line.ask('statement.take', { id: each.id, taken: !each.taken })
    if (done) replace(done.statement)
  }

  function replace(each: Statement): void {
    const at = older.value.findIndex((one) => one.id === each.id)
    if (at >= 0) older.value.splice(at, 1, each)
    else room.keepStatement(each)
  }

  async function loadOlder(): Promise<void> {
    const first = all.value[0]
    if (!first || loading.value) return
    loading.value = true
    const page = await line.ask('statements.list', { before: first.id, limit: PAGE })
    loading.value = false
    if (!page) return
    const known = new Set(all.value.map((each) => each.id))
    const next = page.items.filter((each) => !known.has(each.id)).sort((one, two) => one.at_wall_ms - two.at_wall_ms)
    older.value = [...next, ...older.value]
  }

  // The author is asked to speak to what was written.
  watch(
    () => all.value.filter((each) => each.taken && isMine(each)).length,
    (now, was) => {
      if (now > was) notices.show(t('statement.takenMine'))
    },
  )

  return {
    order,
    draft,
    toSecretariat,
    replyTo,
    waiting,
    loading,
    all,
    count,
    more,
    shown,
    replies,
    byId,
    isMine,
    send,
    like,
    take,
    loadOlder,
    drop: (key: string) => outbox.drop(key),
  }
})
