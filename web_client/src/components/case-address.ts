/** Which case an address names: `#case=…`, on the desk and on the department's page alike. */

const IN_ADDRESS = /^#case=([\w-]+)$/

export const caseInAddress = (hash: string): string | null => IN_ADDRESS.exec(hash)?.[1] ?? null

export const addressOf = (id: string): string => `#case=${id}`
