/** Every action that the trace has words for, by its name in the trace. */
import { deskZhCN } from '@/i18n/desk.zh-CN'

export const ACTIONS: readonly string[] = Object.entries(deskZhCN.trace.action).flatMap(([thing, verbs]) => Object.keys(verbs).map((verb) => `${thing}.${verb}`))
