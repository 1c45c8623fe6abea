/** The table of verbs. Each is loaded only when it is called: importing all would cost each call a tenth of a second. */
import type { RunnableVerb } from './command.ts';

export interface VerbEntry {
  readonly name: string;
  readonly summary: string;
  readonly hidden?: boolean;
  load(): Promise<RunnableVerb>;
}

export const VERBS: readonly VerbEntry[] = [
  {
    name: 'audit',
    summary: 'show mounts, duplicate entries, sizes and what would be left out, and why (read-only)',
    load: async () => (await import('./audit.ts')).verb,
  },
  {
    name: 'migrate',
    summary: 'turn a running server into an image: connect, find, audit, stop, stream, import',
    load: async () => (await import('./migrate.ts')).verb,
  },
];
