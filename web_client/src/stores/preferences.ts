/** What this device remembers for its reader: large text and the single keys. */
import { defineStore } from 'pinia'
import { ref, watchEffect } from 'vue'

const SIZE_KEY = 'yuanshang.size'
const KEYS_KEY = 'yuanshang.keys'

function read(key: string): string | null {
  try {
    return window.localStorage.getItem(key)
  } catch {
    return null
  }
}

function write(key: string, value: string): void {
  try {
    window.localStorage.setItem(key, value)
  } catch {
    // Storage may be refused; the choice then lasts as long as the page.
  }
}

export const usePreferences = defineStore('preferences', () => {
  // The invitation of somebody who asked for large text carries ?size=large.
  const asked = new URLSearchParams(window.location.search).get('size')
  const large = ref(asked ? asked === 'large' : read(SIZE_KEY) === 'large')
  const keys = ref(read(KEYS_KEY) !== 'off')

  watchEffect(() => {
    if (large.value) document.documentElement.dataset.size = 'large'
    else delete document.documentElement.dataset.size
    write(SIZE_KEY, large.value ? 'large' : 'normal')
  })
  watchEffect(() => write(KEYS_KEY, keys.value ? 'on' : 'off'))

  return { large, keys }
})
