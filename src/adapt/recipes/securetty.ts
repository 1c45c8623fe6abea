import { addLines } from '../lines.ts';
import { always, type Recipe } from '../recipe.ts';

/** Root logs in on the terminals that a container has (securetty(5)). */
export const securetty: Recipe = {
  name: 'securetty',
  summary: "lets root log in on a container's terminals",
  appliesTo: always,
  apply: (draft) => draft.edit('/etc/securetty', (text) => addLines(text, ['console', 'pts/0'])),
};
