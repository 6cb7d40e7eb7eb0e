/** The five reasons for which comments are not shown, in the order of their keys. */
export const REASONS = ['one', 'two', 'three', 'four', 'five'] as const
