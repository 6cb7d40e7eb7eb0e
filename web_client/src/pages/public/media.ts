/** Whether the window is narrow: then everything stands in one column, and what else there is behind tabs. As in public.css. */
import { onScopeDispose, ref, type Ref } from 'vue'

export function useNarrow(): Ref<boolean> {
  const list = window.matchMedia('(max-width: 860px), (max-height: 500px) and (orientation: landscape)')
  const narrow = ref(list.matches)
  const changed = (): void => {
    narrow.value = list.matches
  }
  // Older Safari knows no other way.
  if ('addEventListener' in list) list.addEventListener('change', changed)
  else (list as MediaQueryList).addListener(changed)
  onScopeDispose(() => {
    if ('removeEventListener' in list) list.removeEventListener('change', changed)
    else (list as MediaQueryList).removeListener(changed)
  })
  return narrow
}
