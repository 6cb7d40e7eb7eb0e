/** What this device remembers for its reader: large text, the single keys, captions, how many pictures a page has. */
import { defineStore } from 'pinia'
import { ref, watchEffect } from 'vue'

const SIZE_KEY = 'yuanshang.size'
const KEYS_KEY = 'yuanshang.keys'
const CAPTIONS_KEY = 'yuanshang.captions'
const ALOUD_KEY = 'yuanshang.captions-aloud'
const PER_PAGE_KEY = 'yuanshang.per-page'
const ASKED_KEY = 'yuanshang.large-asked'

/** How many pictures a page of the grid may have. */
export const PER_PAGE = [9, 16, 25] as const
export type PerPage = (typeof PER_PAGE)[number]

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

  /** null: as many as the window has place for */
  const perPage = ref<PerPage | null>(PER_PAGE.find((each) => String(each) === read(PER_PAGE_KEY)) ?? null)

  watchEffect(() => {
    if (large.value) document.documentElement.dataset.size = 'large'
    else delete document.documentElement.dataset.size
    write(SIZE_KEY, large.value ? 'large' : 'normal')
  })
  watchEffect(() => write(KEYS_KEY, keys.value ? 'on' : 'off'))
  watchEffect(() => write(CAPTIONS_KEY, captions.value ? 'on' : 'off'))
  watchEffect(() => {
    if (perPage.value !== null) write(PER_PAGE_KEY, String(perPage.value))
  })
  watchEffect(() => write(ALOUD_KEY, captionsAloud.value ? 'on' : 'off'))

  /** For somebody who asked for large text when invited. Once for a link: whoever then switches it off on this device means it. */
  function askLarge(link: string): void {
    if (asked || read(ASKED_KEY) === link) return
    write(ASKED_KEY, link)
    large.value = true
  }

  return { large, keys, captions, captionsAloud, perPage, askLarge }
})
