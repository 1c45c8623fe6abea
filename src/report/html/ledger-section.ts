/** Every command that ran on the source, in order; those that changed it are marked. */
import { formatDuration } from '../units.ts';
import { type Markup, markup } from './markup.ts';
import type { ShownResult } from './result.ts';

/** A script of a watchdog is some pages long. */
const SCRIPT_CHARACTERS = 2000;

export function ledgerSection(ledger: ShownResult['ledger'], most: number): Markup | undefined {
  if (ledger.length === 0) return undefined;
  // Where not all are listed, those that changed the source are.
  const shown = ledger.length <= most ? ledger : ledger.filter((entry, index) => entry.changesSource || index < most);
  const changing = ledger.filter(({ changesSource }) => changesSource).length;
  const more =
    shown.length < ledger.length
      ? markup`<p class="none">and ${ledger.length - shown.length} more that only looked</p>`
      : undefined;
  return markup`<section><h4>Commands on the server</h4><p>${ledger.length} in all, of which ${changing} changed something there.</p>
<table class="ledger"><thead><tr><th scope="col">At (UTC)</th><th scope="col">For</th><th scope="col">Command</th><th scope="col" class="n">Exit</th><th scope="col" class="n">Took</th></tr></thead><tbody>
${shown.map(row)}</tbody></table>${more}</section>`;
}

function row({ at, purpose, script, code, durationMs, changesSource }: ShownResult['ledger'][number]): Markup {
  const cut = script.length > SCRIPT_CHARACTERS ? `${script.slice(0, SCRIPT_CHARACTERS)}…` : script;
  const [first = '', ...rest] = cut.split('\n');
  const command =
    rest.length === 0 && first.length <= 100
      ? markup`<code>${first}</code>`
      : markup`<details><summary><code>${first.slice(0, 100)}…</code></summary><pre>${cut}</pre></details>`;
  return markup`<tr${changesSource ? markup` class="changes"` : undefined}><td>${at.slice(11, 19)}</td><td>${purpose}${changesSource ? markup` <span class="tag">changes</span>` : undefined}</td><td>${command}</td><td class="n">${code ?? 'none'}</td><td class="n">${formatDuration(durationMs)}</td></tr>
`;
}
