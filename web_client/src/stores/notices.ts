/** Short messages: at most two on the screen, and what screen readers are told. */
import { defineStore } from 'pinia'
import { ref } from 'vue'

export interface Toast {
  id: number
  text: string
  detail?: string
  action?: { label: string; run: () => void }
}

const PLAIN_MS = 6000
const UNDO_MS = 10_000
const SHOWN = 2

export const useNotices = defineStore('notices', () => {
  const toasts = ref<Toast[]>([])
  const polite = ref('')
  const assertive = ref('')
  let next = 1

  function show(text: string, more: { detail?: string; action?: Toast['action']; forMs?: number } = {}): number {
    const id = next
    next += 1
    const toast: Toast = { id, text }
    if (more.detail) toast.detail = more.detail
    if (more.action) toast.action = more.action
    // The same sentence twice says nothing more: the newer one takes the place.
    toasts.value = [...toasts.value.filter((each) => each.text !== text), toast].slice(-SHOWN)
    setTimeout(() => dismiss(id), more.forMs ?? (more.action ? UNDO_MS : PLAIN_MS))
    return id
  }

  function dismiss(id: number): void {
    toasts.value = toasts.value.filter((each) => each.id !== id)
  }

  /** Something larger takes the place. */
  function clear(): void {
    toasts.value = []
  }

  /** For screen readers alone; what is on the screen anyway is not shown a second time. */
  function say(text: string, urgent = false): void {
    const line = urgent ? assertive : polite
    // An equal text would not be read again.
    line.value = line.value === text ? `${text}\u00a0` : text
  }

  return { toasts, polite, assertive, show, dismiss, clear, say }
})
