/** The departments that answer, and the links by which they do. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { responses, type Department, type DepartmentDraft, type ResponsesApi } from '@/api/responses'
import { useActs, type Done } from './acts'
import { useSession } from './session'

export const useDepartments = defineStore('departments', () => {
  const acts = useActs()
  const session = useSession()
  const items = shallowRef<Department[]>([])
  const loaded = ref(false)
  const busy = ref(false)

  const api = <T>(act: (all: ResponsesApi) => Promise<T>, quiet = false): Promise<Done<T>> => acts.run((http) => act(responses(http, session.cid)), { quiet })

  async function load(): Promise<void> {
    const done = await api((all) => all.departments(), true)
    if (!done) return
    items.value = done.value.items
    loaded.value = true
  }

  /** The department as it is now; null after a refusal. */
  async function keep(id: string | null, draft: DepartmentDraft): Promise<Department | null> {
    if (busy.value) return null
    busy.value = true
    const done = await api((all) => (id ? all.editDepartment(id, draft) : all.addDepartment(draft)))
    busy.value = false
    if (!done) return null
    await load()
    return items.value.find((each) => each.id === done.value.id) ?? done.value
  }

  async function link(id: string): Promise<string | null> {
    const done = await api((all) => all.departmentLink(id))
    return done ? whole(done.value.url) : null
  }

  /** The link from before opens nothing any more. */
  async function renew(id: string): Promise<string | null> {
    const done = await api((all) => all.renewLink(id))
    if (done) void load()
    return done ? whole(done.value.url) : null
  }

  /** A link is a path unless the server knows its public address. */
  const whole = (url: string): string => (url.startsWith('/') ? window.location.origin + url : url)

  return { items, loaded, busy, load, keep, link, renew }
})
