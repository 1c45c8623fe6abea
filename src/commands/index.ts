/** The table of verbs. Each is loaded only when it is called: importing all would cost each call a tenth of a second. */
import type { RunnableVerb } from './command.ts';

export interface VerbEntry {
  readonly name: string;
  readonly summary: string;
  readonly hidden?: boolean;
  load(): Promise<RunnableVerb>;
}

export const VERBS: readonly VerbEntry[] = [
  { name: 'images', summary: 'list the images of the store', load: async () => (await import('./images.ts')).verb },
];
