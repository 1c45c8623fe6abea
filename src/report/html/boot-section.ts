/** What a host's report tells of the boot of its image. */
import { formatDuration } from '../units.ts';
import { type Markup, markup } from './markup.ts';
import type { ShownResult } from './result.ts';

type Boot = NonNullable<ShownResult['boot']>;

export function bootSection({ boot }: ShownResult): Markup | undefined {
  if (boot === null) return undefined;
  return markup`<section><h4>${boot.outcome === 'booted' ? 'Booted, and looked into' : 'Not booted'}</h4>${failure(boot)}${container(boot)}${checks(boot)}</section>
`;
}

function failure({ error }: Boot): Markup | undefined {
  if (error === null) return undefined;
  const causes = error.causes.map((cause) => markup`<li>${cause}</li>`);
  const hint = error.hint === undefined ? undefined : markup`<p>What to do: ${error.hint}</p>`;
  const beneath = causes.length === 0 ? undefined : markup`<p>Beneath it:</p><ul>${causes}</ul>`;
  return markup`<div class="failure" role="note"><p><strong>${error.message}</strong></p>${hint}${beneath}</div>`;
}

function container({ container: made, layers, unpackedEarly, startedAfterMs }: Boot): Markup | undefined {
  if (made === null) return undefined;
  const rows: (readonly [string, string | undefined])[] = [
    ['Container', made.name],
    ['PID 1', `${made.init}: ${made.why}`],
    ['Engine', made.engine],
    ['Networks', made.networks.join(', ') || 'none'],
    ['Held back', made.heldBack === null ? undefined : made.heldBack || 'nothing was found that acts by itself'],
    ['Started', startedAfterMs === null ? undefined : `${formatDuration(startedAfterMs)} after the last byte`],
    ['Layers', `${layers}, of which ${unpackedEarly} were unpacked before the image was imported`],
  ];
  return markup`<dl class="facts">${rows.map(([name, value]) => (value === undefined ? undefined : markup`<div><dt>${name}</dt><dd>${value}</dd></div>`))}</dl>`;
}

function checks({ health, ports }: Boot): Markup | undefined {
  if (health.length + ports.length === 0) return undefined;
  const rows = [
    ...health.map(
      ({ application, check, before, after, says }) =>
        markup`<tr><td>${application}: ${check}</td><td>${before}</td><td>${after}${says === '' ? '' : ` (${says})`}</td></tr>`,
    ),
    ...ports.map(({ port, state }) => markup`<tr><td>port ${String(port)}</td><td>listens</td><td>${state}</td></tr>`),
  ];
  return markup`<table><thead><tr><th scope="col">Check</th><th scope="col">On the server</th><th scope="col">In the container</th></tr></thead><tbody>${rows}</tbody></table>`;
}
