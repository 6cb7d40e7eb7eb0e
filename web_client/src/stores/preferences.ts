/** What this device remembers for its reader: large text, the single keys, captions. */
import { defineStore } from 'pinia'
import { ref, watchEffect } from 'vue'

const SIZE_KEY = 'yuanshang.size'
const KEYS_KEY = 'yuanshang.keys'
const CAPTIONS_KEY = 'yuanshang.captions'
const ALOUD_KEY = 'yuanshang.captions-aloud'
const ASKED_KEY = 'yuanshang.large-asked'

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
  const captions = ref(read(CAPTIONS_KEY) !== 'off')
  /** screen readers are told what was said */
  const captionsAloud = ref(read(ALOUD_KEY) === 'on')

  watchEffect(() => {
    if (large.value) document.documentElement.dataset.size = 'large'
    else delete document.documentElement.dataset.size
    write(SIZE_KEY, large.value ? 'large' : 'normal')
  })
  watchEffect(() => write(KEYS_KEY, keys.value ? 'on' : 'off'))
  watchEffect(() => write(CAPTIONS_KEY, captions.value ? 'on' : 'off'))
  watchEffect(() => write(ALOUD_KEY, captionsAloud.value ? 'on' : 'off'))

  /** For somebody who asked for large text when invited. Once for a link: whoever then switches it off on this device means it. */
  function askLarge(link: string): void {
    if (asked || read(ASKED_KEY) === link) return
    write(ASKED_KEY, link)
    large.value = true
  }

  return { large, keys, captions, captionsAloud, askLarge }
})
