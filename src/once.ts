/**
 * For schemas of what a process reads once or a few times: zod makes code of a schema at its first use, for which a process that
 * ends soon has waited in vain.
 */
export const ONCE = { jitless: true } as const;
