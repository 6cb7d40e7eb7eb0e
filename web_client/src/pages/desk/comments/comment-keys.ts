/** The keys of 留言. They work only while no field and no sheet has the focus, and can be switched off. */
import { onBeforeUnmount, onMounted, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { useCommentActs } from '@/stores/comment-acts'
import { useCommentCursor } from '@/stores/comment-cursor'
import { useCommentGroup } from '@/stores/comment-group'
import { usePreferences } from '@/stores/preferences'
import { REASONS } from './reasons'

interface Places {
  /** the row that one is at takes the focus */
  focusRow: () => void
  /** the comments of the group take it */
  focusMembers: () => void
  focusSearch: () => void
  showNew: () => void
  sheet: Ref<boolean>
}

export function useCommentKeys(places: Places): void {
  const { t } = useI18n()
  const acts = useCommentActs()
  const cursor = useCommentCursor()
  const group = useCommentGroup()
  const preferences = usePreferences()

  function move(step: 1 | -1): void {
    cursor.move(step)
    places.focusRow()
  }

  function reject(): void {
    if (!acts.verdicts.includes('reject') && !acts.verdicts.includes('hide')) return
    if (cursor.at !== null) cursor.mode = 'reject'
  }

  function represent(): void {
    const [id, ...more] = group.marked
    if (id !== undefined && more.length === 0) void acts.represent(id)
  }

  function split(): void {
    if (group.items.length < 2) return
    cursor.mode = 'split'
    places.focusMembers()
  }

  const singles: Record<string, () => void> = {
    j: () => move(1),
    k: () => move(-1),
    a: () => void acts.decide('approve'),
    r: reject,
    h: () => void acts.decide('hold'),
    p: () => void acts.promote(),
    m: () => acts.beginMerge(),
    s: split,
    e: represent,
    x: () => {
      if (cursor.at !== null) cursor.range(cursor.at)
    },
    c: () => void acts.claim(),
    g: () => void acts.release(),
    n: places.showNew,
    z: () => void acts.takeBack(),
    u: () => void acts.takeBack(),
    '/': places.focusSearch,
    '?': () => (places.sheet.value = true),
    arrowdown: () => move(1),
    arrowup: () => move(-1),
    arrowright: places.focusMembers,
    arrowleft: places.focusRow,
  }

  function escape(): void {
    if (cursor.mode !== null) cursor.mode = null
    else cursor.clear()
    places.focusRow()
  }

  function chosen(key: string): boolean {
    const reason = REASONS[Number(key) - 1]
    if (cursor.mode !== 'reject' || reason === undefined) return false
    void acts.decide(acts.verdicts.includes('hide') ? 'hide' : 'reject', t(`comments.why.${reason}`))
    return true
  }

  function down(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || !preferences.keys) return
    const target = event.target as HTMLElement
    const box = target.closest<HTMLInputElement>('input')
    const inField = target.closest('textarea, select, [contenteditable], [role="menu"], [role="dialog"], [role="alertdialog"]') ?? (box && box.type !== 'checkbox')
    if (inField) return
    if (event.key === 'Escape') {
      escape()
      return
    }
    if (event.code === 'Space' || event.key === 'Enter') {
      // On a control these two are the control's own.
      if (target.closest('button, a, input, [role="radio"]')) return
      if (event.key === 'Enter' && cursor.mode === 'merge' && cursor.at !== null) void acts.merge(cursor.merging, cursor.at)
      else if (event.code === 'Space' && cursor.at !== null) cursor.toggle(cursor.at)
      else return
      event.preventDefault()
      return
    }
    const name = event.key.toLowerCase()
    // In a group of choices and among the comments of a group the arrows are theirs.
    if (name.startsWith('arrow') && target.closest('[role="radiogroup"], .filt')) return
    if (chosen(event.key)) {
      event.preventDefault()
      return
    }
    const act = singles[name]
    // A key that is held runs through the rows, but decides once.
    if (!act || (event.repeat && !['j', 'k', 'arrowdown', 'arrowup'].includes(name))) return
    event.preventDefault()
    act()
  }

  onMounted(() => window.addEventListener('keydown', down))
  onBeforeUnmount(() => window.removeEventListener('keydown', down))
}
