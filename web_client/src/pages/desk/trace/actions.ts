/** Every action that the trace has words for, by its name in the trace. */
import { traceZhCN } from '@/i18n/trace.zh-CN'

export const ACTIONS: readonly string[] = Object.entries(traceZhCN.trace.action).flatMap(([thing, verbs]) => Object.keys(verbs).map((verb) => `${thing}.${verb}`))

/** Those of accounts and bodies stand in no consultation's chain. */
export const CONSULTATION_ACTIONS: readonly string[] = ACTIONS.filter((action) => !/^(user|organization)\./.test(action))
