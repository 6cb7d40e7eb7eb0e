/** The consultation while it is prepared: its fields, each saved as it is written, readiness, and the steps of its life. */
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { RequestError } from '@/api/room-socket'
import { preparing, type BriefingFile, type Edit, type EditableField, type Missing, type Part, type PreparedConsultation, type Preparing, type Readiness } from '@/api/preparing'
import type { IdentityKind } from '@/api/viewer-identity'
import { useActs, type Done } from './acts'
import { useNotices } from './notices'
import { useSession } from './session'

/** Somebody else wrote the same fields meanwhile: theirs are shown, one's own are offered. */
export interface EditConflict {
  fields: EditableField[]
  mine: Edit
}

const READINESS_PAUSE_MS = 400

export const usePreparing = defineStore('preparing', () => {
  const acts = useActs()
  const notices = useNotices()
  const session = useSession()
  const consultation = shallowRef<PreparedConsultation | null>(null)
  const readiness = shallowRef<Readiness | null>(null)
  const files = shallowRef<BriefingFile[]>([])
  const identityKinds = shallowRef<IdentityKind[]>([])
  const saving = ref<'idle' | 'saving' | 'saved' | 'failed'>('idle')
  const conflict = shallowRef<EditConflict | null>(null)
  const busy = ref(false)
  let queue: Promise<unknown> = Promise.resolve()
  let pause: ReturnType<typeof setTimeout> | undefined

  const run = <T>(act: (api: Preparing) => Promise<T>, quiet = false): Promise<Done<T>> => acts.run((http) => act(preparing(http, session.cid)), { quiet })
  const ask = <T>(act: (api: Preparing) => Promise<T>): Promise<T> => acts.ask((http) => act(preparing(http, session.cid)))

  async function load(): Promise<void> {
    const [one, ready, list, offer] = await Promise.all([
      run((api) => api.consultation()),
      run((api) => api.readiness(), true),
      run((api) => api.files(), true),
      run((api) => api.identityKinds(), true),
    ])
    if (one) consultation.value = one.value
    if (ready) readiness.value = ready.value
    if (list) files.value = list.value.items
    if (offer) identityKinds.value = offer.value.kinds
  }

  async function refresh(): Promise<void> {
    const one = await run((api) => api.consultation(), true)
    if (one && one.value.revision >= (consultation.value?.revision ?? 0)) consultation.value = one.value
  }

  /** Something was done that may have been missing; several at once are asked for once. */
  function changed(): void {
    clearTimeout(pause)
    pause = setTimeout(async () => {
      const done = await run((api) => api.readiness(), true)
      if (done) readiness.value = done.value
    }, READINESS_PAUSE_MS)
  }

  /** One after the other, so that each knows the revision that the one before has made. */
  function edit(fields: Edit): Promise<void> {
    saving.value = 'saving'
    const next = queue.then(() => put(fields))
    queue = next
    return next
  }

  async function put(fields: Edit): Promise<void> {
    const base = consultation.value
    if (!base) return
    try {
      consultation.value = await ask((api) => api.edit(base.revision, fields))
      saving.value = 'saved'
      if (conflict.value?.fields.some((field) => field in fields)) conflict.value = null
      changed()
    } catch (error) {
      if (error instanceof RequestError && error.code === 'edit_conflict') await meet(base, fields)
      else {
        saving.value = 'failed'
        notices.show(acts.sentence(error))
      }
    }
  }

  /** Others wrote something: other fields do not hinder, the same ones are shown as they are now. */
  async function meet(base: PreparedConsultation, fields: Edit): Promise<void> {
    const newer = await run((api) => api.consultation())
    if (!newer) {
      saving.value = 'failed'
      return
    }
    consultation.value = newer.value
    const same = (Object.keys(fields) as EditableField[]).filter((field) => newer.value[field] !== base[field] && newer.value[field] !== fields[field])
    if (same.length === 0 && newer.value.revision !== base.revision) return put(fields)
    conflict.value = { fields: same, mine: fields }
    saving.value = 'idle'
  }

  async function takeMine(): Promise<void> {
    const mine = conflict.value?.mine
    conflict.value = null
    if (mine) await edit(mine)
  }

  async function step(act: (api: Preparing) => Promise<PreparedConsultation>): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    // What is still on its way belongs to what is published.
    await queue
    const done = await run(act)
    busy.value = false
    if (done) consultation.value = done.value
    changed()
    return done !== null
  }

  async function addFiles(chosen: Iterable<File>): Promise<void> {
    for (const file of chosen) {
      busy.value = true
      const done = await run((api) => api.addFile(file))
      busy.value = false
      if (!done) break
      files.value = [...files.value, done.value]
    }
  }

  async function removeFile(file: BriefingFile): Promise<void> {
    if (await run((api) => api.removeFile(file.id))) files.value = files.value.filter((each) => each.id !== file.id)
  }

  const readFile = (file: BriefingFile): Promise<void> => acts.download(file.name, (http) => preparing(http, session.cid).readFile(file.id))
  const missingIn = (part: Part): Missing[] => readiness.value?.missing.filter((each) => each.part === part) ?? []

  return {
    consultation,
    readiness,
    files,
    identityKinds,
    saving,
    conflict,
    busy,
    load,
    refresh,
    changed,
    edit,
    takeMine,
    publish: () => step((api) => api.publish()),
    unpublish: () => step((api) => api.unpublish()),
    postpone: (reason: string) => step((api) => api.postpone(reason)),
    cancel: (reason: string) => step((api) => api.cancel(reason)),
    seal: () => step((api) => api.seal()),
    addFiles,
    removeFile,
    readFile,
    missingIn,
  }
})
