/** How this reader looks at the room: speaker or grid, which page, which panel, whom pinned. */
import { defineStore } from 'pinia'
import { ref } from 'vue'

export type View = 'speaker' | 'grid'
export type PanelTab = 'agenda' | 'queue' | 'people' | 'statements'
export type Sheet = 'more' | PanelTab | 'waiting' | 'keys' | 'settings'

export const useLayout = defineStore('layout', () => {
  const view = ref<View>('speaker')
  const page = ref(0)
  const tab = ref<PanelTab | null>(null)
  const sheet = ref<Sheet | null>(null)
  const pinned = ref<string | null>(null)

  function toggleView(): void {
    view.value = view.value === 'grid' ? 'speaker' : 'grid'
    page.value = 0
  }

  return { view, page, tab, sheet, pinned, toggleView }
})
