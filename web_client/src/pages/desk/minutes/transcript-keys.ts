/** The keys of the transcript: some in its text, some at its rows, some wherever one is on the page. */
import { onBeforeUnmount, onMounted } from 'vue'
import { useTranscriptEditor } from '@/stores/transcript-editor'
import { useTranscriptSound } from '@/stores/transcript-sound'
import { useTranscriptSpeakers } from '@/stores/transcript-speakers'

export interface KeyActs {
  /** play or pause; in the text from the caret on */
  play: () => void
  next: () => void
  rows: (by: 1 | -1) => void
  open: () => void
  leave: () => void
  split: () => void
  join: () => void
  find: (replacing: boolean) => void
  help: () => void
}

/** `inText` and `atRow` go to keydown of the field and of the row; the others are listened to by themselves. */
export function useTranscriptKeys(acts: KeyActs): { inText: (event: KeyboardEvent) => void; atRow: (event: KeyboardEvent) => void } {
  const editor = useTranscriptEditor()
  const sound = useTranscriptSound()
  const speakers = useTranscriptSpeakers()

  function done(event: KeyboardEvent): void {
    event.preventDefault()
    event.stopPropagation()
  }

  /** Marks and speakers: with Alt, in the text as at the row. */
  function marked(event: KeyboardEvent): boolean {
    const segment = editor.current
    if (!event.altKey || event.ctrlKey || event.metaKey || !segment || !editor.mayEdit) return false
    // With Alt some keyboards write other signs: the place of the key counts.
    const digit = /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1]
    if (digit) {
      const speaker = speakers.speakers[Number(digit) - 1]
      if (speaker) void editor.setSpeaker(segment.id, speaker.choice)
    } else if (event.code === 'KeyU') void editor.setUnclear(segment.id, !segment.is_unclear)
    else if (event.code === 'KeyC' && editor.mayHide) void editor.setConfidential(segment.id, !segment.is_confidential)
    else return false
    return true
  }

  function inText(event: KeyboardEvent): void {
    // While characters are being chosen every key is the input method's.
    if (event.isComposing || event.key === 'Process') return
    const control = event.ctrlKey || event.metaKey
    if (event.key === 'Tab' && !control && !event.altKey) {
      if (event.shiftKey) sound.back()
      else acts.play()
    } else if (event.key === 'ArrowLeft' && control && !event.shiftKey) sound.back()
    else if (event.key === 'Enter' && control && event.shiftKey) acts.split()
    else if (event.key === 'Enter' && control) acts.next()
    else if (event.key === 'Backspace' && control) acts.join()
    else if (event.key === 'Escape') acts.leave()
    else if (event.key.toLowerCase() === 'z' && control && !event.shiftKey && !editor.dirty) void editor.undo()
    // A segment is one paragraph.
    else if (event.key !== 'Enter' && !marked(event)) return
    done(event)
  }

  function atRow(event: KeyboardEvent): void {
    if (event.isComposing || event.target !== event.currentTarget) return
    const control = event.ctrlKey || event.metaKey
    if (event.key === 'ArrowDown' && !control) acts.rows(1)
    else if (event.key === 'ArrowUp' && !control) acts.rows(-1)
    else if (event.key === 'ArrowLeft' && control) sound.back()
    else if (event.key === 'Enter' && control) acts.next()
    else if (event.key === 'Enter') acts.open()
    else if (event.code === 'Space') acts.play()
    else if (event.key === 'Backspace' && control) acts.join()
    else if (!marked(event)) return
    done(event)
  }

  function anywhere(event: KeyboardEvent): void {
    const target = event.target as HTMLElement
    if (event.isComposing || target.closest('[role="dialog"], [role="alertdialog"]')) return
    const control = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey
    const key = event.key.toLowerCase()
    if (control && (key === 'f' || key === 'h')) acts.find(key === 'h')
    else if (control && key === 's') void editor.save()
    else if (control && key === 'z' && !target.closest('input, textarea, select')) void editor.undo()
    else if (event.key === '?' && !target.closest('input, textarea, select')) acts.help()
    else return
    event.preventDefault()
  }

  onMounted(() => window.addEventListener('keydown', anywhere))
  onBeforeUnmount(() => window.removeEventListener('keydown', anywhere))
  return { inText, atRow }
}
