/** A list of which each change is saved at once: of the list as it is now, which others may have edited since it was read. */
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import type { Http } from '@/api/http'
import { RequestError } from '@/api/room-socket'
import type { Done } from './acts'

/** while others change the same list */
const TRIES = 3

/** null after a refusal, which was told */
export type Run = <R>(act: (http: Http) => Promise<R>) => Promise<Done<R>>

export interface ListSource<T> {
  run: Run
  read: (http: Http) => Promise<{ items: T[]; revision?: number }>
  write: (http: Http, items: T[], revision: number | undefined) => Promise<{ items: T[] }>
  same: (one: T, two: T) => boolean
}

export interface EditableList<T> {
  /** null until it was read */
  items: ShallowRef<readonly T[] | null>
  busy: Ref<boolean>
  load: () => Promise<void>
  /** In the place of the same one, where there is one. Whether it was saved. */
  put: (item: T) => Promise<boolean>
  remove: (item: T) => Promise<boolean>
}

export function editableList<T>({ run, read, write, same }: ListSource<T>): EditableList<T> {
  const items = shallowRef<readonly T[] | null>(null)
  const busy = ref(false)

  async function load(): Promise<void> {
    const done = await run(read)
    if (done) items.value = done.value.items
  }

  async function change(edit: (there: readonly T[]) => T[]): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    const done = await run(async (http) => {
      for (let left = TRIES; ; left -= 1) {
        const seen = await read(http)
        try {
          return await write(http, edit(seen.items), seen.revision)
        } catch (error) {
          // Somebody was faster: the same change of what there is now.
          if (!(error instanceof RequestError) || error.code !== 'edit_conflict' || left <= 1) throw error
        }
      }
    })
    busy.value = false
    if (done) items.value = done.value.items
    return done !== null
  }

  const put = (item: T): Promise<boolean> => change((there) => [...there.filter((each) => !same(each, item)), item])
  const remove = (item: T): Promise<boolean> => change((there) => there.filter((each) => !same(each, item)))

  return { items, busy, load, put, remove }
}

/** With `take`: the items of a table are added by the server, and the list is read anew. */
export function withTables<T>(list: EditableList<T>, run: Run, bring: (http: Http, file: File) => Promise<unknown>): EditableList<T> & { take: (file: File) => Promise<boolean> } {
  async function take(file: File): Promise<boolean> {
    if (list.busy.value) return false
    list.busy.value = true
    const done = await run((http) => bring(http, file))
    list.busy.value = false
    if (done) await list.load()
    return done !== null
  }
  return { ...list, take }
}
