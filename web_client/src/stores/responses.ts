/** The ledger of cases on the desk: looked at every five seconds while it is open, and seldom for the number at the rail. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import type { Http, Kept } from '@/api/http'
import { RequestError } from '@/api/room-socket'
import { responses, type Counted, type ResponseCard, type ResponseDetail, type ResponsePage, type ResponseQuery, type ResponsesApi, type Visibility } from '@/api/responses'
import { useActs } from './acts'
import { useNotices } from './notices'
import { useRoom } from './room'
import { useSession } from './session'

const PAGE = 100
const LOOK_MS = 5000
const SELDOM_MS = 30_000
const TYPING_MS = 300

export type View = 'open' | Exclude<Counted, 'all'> | 'all'
const STATES: Record<View, string> = {
  open: 'unassigned,assigned,submitted',
  unassigned: 'unassigned',
  assigned: 'assigned',
  due_soon: 'due_soon',
  overdue: 'overdue',
  submitted: 'submitted',
  answered: 'answered',
  closed: 'closed',
  all: '',
}

export const useResponses = defineStore('responses', () => {
  const acts = useActs()
  const notices = useNotices()
  const room = useRoom()
  const session = useSession()
  const items = shallowRef<ResponseCard[] | null>(null)
  const next = ref<string | null>(null)
  const counts = shallowRef<ResponsePage['counts'] | null>(null)
  const failed = ref(false)
  const loading = ref(false)
  const view = ref<View>('open')
  const department = ref('')
  const text = ref('')
  /** the one that stands open beside the list */
  const openId = ref<string | null>(null)
  const detail = shallowRef<ResponseDetail | null>(null)
  /** the one that was open is there no more */
  const gone = ref(false)
  const busy = ref(false)
  let looking = false
  /** how many rows are wanted: what was unrolled stays unrolled */
  let wanted = PAGE
  /** the pages of the list, by what was asked for them */
  let kept = new Map<string, Kept<ResponsePage>>()
  /** of which state, department and text the list is */
  let shown = ''
  let keptDetail: Kept<ResponseDetail> | null = null
  let timer: ReturnType<typeof setTimeout> | undefined
  let typing: ReturnType<typeof setTimeout> | undefined
  let turn = 0
  let turnOfDetail = 0

  const mayManage = computed(() => room.can('response.manage'))
  /** what the secretariat itself has to do */
  const mine = computed(() => (counts.value ? counts.value.unassigned + counts.value.submitted : 0))

  const api = (http: Http): ResponsesApi => responses(http, session.cid)

  /** Pages of the ledger until there are as many cases as wanted. A page that is as it was before is the same object as before. */
  async function pages(query: ResponseQuery, most: number): Promise<Map<string, Kept<ResponsePage>>> {
    const found = new Map<string, Kept<ResponsePage>>()
    let after: string | null = null
    do {
      const one: ResponseQuery = { ...query, limit: PAGE, after }
      const asked = JSON.stringify(one)
      // The place to go on from was gone and the list began anew.
      if (found.has(asked)) break
      const page: Kept<ResponsePage> = await acts.ask((http) => api(http).page(one, kept.get(asked) ?? null))
      found.set(asked, page)
      after = page.body.next
    } while (after !== null && found.size * PAGE < most)
    return found
  }

  async function load(quiet = true): Promise<void> {
    const now = (turn += 1)
    const query: ResponseQuery = { state: STATES[view.value], department: department.value, text: text.value.trim() }
    const asked = JSON.stringify(query)
    const [list] = await Promise.all([acts.run(() => pages(query, wanted), { quiet }), loadDetail()])
    // An answer to an older question is of no use.
    if (now !== turn) return
    loading.value = false
    failed.value = !list && asked !== shown
    if (!list) return
    shown = asked
    const same = list.value.size === kept.size && [...list.value].every(([key, page]) => kept.get(key) === page)
    kept = list.value
    if (same) return
    const all = [...kept.values()].map((each) => each.body)
    items.value = [...new Map(all.flatMap((each) => each.items.map((card) => [card.id, card] as const))).values()]
    next.value = all.at(-1)?.next ?? null
    counts.value = all.at(-1)?.counts ?? null
  }

  async function loadDetail(): Promise<void> {
    const id = openId.value
    if (!id) return
    const now = (turnOfDetail += 1)
    const before = detail.value?.response.id === id ? keptDetail : null
    try {
      const got = await acts.ask((http) => api(http).one(id, before))
      // Another case is open now, or a newer question about this one was asked.
      if (openId.value !== id || now !== turnOfDetail || got === before) return
      keptDetail = got
      detail.value = got.body
      gone.value = false
    } catch (error) {
      if (openId.value === id && now === turnOfDetail && error instanceof RequestError && error.code.endsWith('not_found')) gone.value = true
    }
  }

  async function more(): Promise<void> {
    if (!next.value || loading.value) return
    loading.value = true
    wanted = (Math.ceil((items.value?.length ?? 0) / PAGE) + 1) * PAGE
    await load(false)
  }

  async function open(id: string | null): Promise<void> {
    openId.value = id
    gone.value = false
    if (id === null) detail.value = null
    else await loadDetail()
  }

  function tick(): void {
    clearTimeout(timer)
    timer = setTimeout(
      () => {
        if (document.visibilityState === 'hidden') return tick()
        void (looking ? load() : loadCounts()).finally(tick)
      },
      looking ? LOOK_MS : SELDOM_MS,
    )
  }

  async function loadCounts(): Promise<void> {
    // The number is of what the secretariat has to do: nobody else needs it.
    if (!mayManage.value) return
    const got = await acts.run((http) => api(http).page({ state: 'submitted', limit: 1 }), { quiet: true })
    if (got && !looking) counts.value = got.value.body.counts
  }

  function start(): void {
    looking = true
    void load()
    tick()
  }

  function stop(): void {
    looking = false
    tick()
  }

  /** From when somebody who may read them is at the desk. */
  function follow(): void {
    void loadCounts()
    tick()
  }

  function anew(): void {
    loading.value = true
    wanted = PAGE
    void load()
    tick()
  }
  watch([view, department], anew)
  watch(text, () => {
    clearTimeout(typing)
    typing = setTimeout(anew, TYPING_MS)
  })

  /** One act on a case; what came of it is shown at once, and the list follows. */
  async function turnOne(act: (all: ResponsesApi) => Promise<{ response: ResponseCard }>): Promise<ResponseCard | null> {
    if (busy.value) return null
    busy.value = true
    const done = await acts.run((http) => act(api(http)))
    busy.value = false
    if (done) put(done.value.response)
    // Also after a refusal: somebody else may have been faster.
    void load()
    return done?.value.response ?? null
  }

  function put(card: ResponseCard): void {
    items.value = items.value?.map((each) => (each.id === card.id ? card : each)) ?? null
    if (detail.value?.response.id === card.id) detail.value = { ...detail.value, response: card }
    // What is kept by its tag is older than this.
    kept = new Map()
    keptDetail = null
  }

  const assign = (id: string, to: string, dueWallMs: number | null, reason: string) => turnOne((all) => all.assign(id, to, dueWallMs, reason))
  const extend = (id: string, untilWallMs: number, reason: string) => turnOne((all) => all.extend(id, untilWallMs, reason))
  const denyExtension = (id: string, reason: string) => turnOne((all) => all.denyExtension(id, reason))
  const giveBack = (id: string, reason: string) => turnOne((all) => all.giveBack(id, reason))
  const approve = (id: string, visibility: Visibility) => turnOne((all) => all.approve(id, visibility))
  const unapprove = (id: string) => turnOne((all) => all.unapprove(id))
  const reopen = (id: string, reason: string) => turnOne((all) => all.reopen(id, reason))
  const close = (id: string) => turnOne((all) => all.close(id))
  const remind = (id: string) => turnOne((all) => all.remind(id))

  /** Everybody whose case is due soon or overdue; gives how many were reminded, and how many nothing reaches. */
  async function remindAll(): Promise<{ n: number; missing: number }> {
    const reminded = { n: 0, missing: 0 }
    if (busy.value) return reminded
    busy.value = true
    try {
      const found = await pages({ state: 'due_soon,overdue' }, Infinity)
      const ids = new Set([...found.values()].flatMap((each) => each.body.items.map((card) => card.id)))
      for (const id of ids) {
        try {
          await acts.ask((http) => api(http).remind(id))
          reminded.n += 1
        } catch (error) {
          // One department that nothing reaches keeps no other from being reminded, nor does a case that was answered meanwhile.
          const code = error instanceof RequestError ? error.code : ''
          if (code === 'no_channel') reminded.missing += 1
          else if (code !== 'response_changed') throw error
        }
      }
    } catch (error) {
      notices.show(acts.sentence(error))
    }
    busy.value = false
    kept = new Map()
    keptDetail = null
    void load()
    return reminded
  }

  return {
    items,
    next,
    counts,
    failed,
    loading,
    view,
    department,
    text,
    openId,
    detail,
    gone,
    busy,
    mayManage,
    mine,
    load,
    more,
    open,
    start,
    stop,
    follow,
    assign,
    extend,
    denyExtension,
    giveBack,
    approve,
    unapprove,
    reopen,
    close,
    remind,
    remindAll,
  }
})
