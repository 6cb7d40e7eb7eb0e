/** Lines of the trace across consultations in words: for the page, and as a table for a spreadsheet program. */
import type { AcrossLine } from '@/api/administration'
import { actionWords, actorWords, subjectWords, type Words } from '@/pages/desk/trace/trace-words'

/** the `chain` of what belongs to no consultation */
export const STAFF = 'staff'

export interface AuditRow {
  each: AcrossLine
  by: { name: string; role: string }
  what: string
  about: string
  title: string
}

export function auditRow(each: AcrossLine, people: ReadonlyMap<string, string>, words: Words): AuditRow {
  return {
    each,
    by: actorWords(each.line, people, words),
    what: actionWords(each.line.action, words),
    about: subjectWords(each.line, people, words),
    title: each.chain === STAFF ? words.t('admin.audit.staff') : (each.title ?? each.chain),
  }
}

/** With the headings first. `moment`: a time, UTC ms, as people here write it. */
export function auditTable(rows: readonly AuditRow[], moment: (ms: number) => string, { t }: Words): string[][] {
  const head = ['trace.when', 'trace.who', 'admin.audit.role', 'admin.audit.which', 'trace.did', 'trace.about', 'trace.number', 'admin.audit.content', 'admin.audit.hash']
  const cells = rows.map(({ each: { line }, by, what, about, title }) => {
    const said = { ...line.content, ...line.names }
    return [moment(line.at_ms), by.name, by.role, title, what, about, String(line.number), JSON.stringify(said), line.hash]
  })
  return [head.map((key) => t(key)), ...cells]
}

/** CSV as spreadsheet programs read it: UTF-8 with a byte order mark, and a quote before what they would compute. */
export function csvOf(rows: readonly (readonly string[])[]): string {
  const cell = (text: string): string => `"${(/^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`
  return `\uFEFF${rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('')}`
}
