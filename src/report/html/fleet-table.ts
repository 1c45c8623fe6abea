/** The table of all hosts of a run, and the data that it is sorted and filtered by. */
import type { HostRecord } from '../run-record.ts';
import { formatBytes, formatDuration } from '../units.ts';
import { hostId } from './host-section.ts';
import { type Markup, markup } from './markup.ts';
import { shownResult } from './result.ts';

/** One host's row, as the page's script sorts by it; null sorts last. */
export interface FleetRow {
  readonly name: string;
  readonly target: string;
  readonly state: string;
  readonly system: string;
  readonly image: string;
  readonly bytes: number | null;
  readonly entries: number | null;
  readonly took: number | null;
  readonly down: number | null;
  readonly digest: string;
  readonly error: string;
}

const ORDER: readonly string[] = ['failed', 'cut off', 'not begun', 'running', 'waiting', 'done'];

export function fleetRow(host: HostRecord): FleetRow {
  const result = shownResult(host.result);
  return {
    name: host.name,
    target: host.target,
    state: host.state,
    system: host.facts?.distribution ?? result?.source?.distribution ?? '',
    image: host.image ?? '',
    bytes: result?.image?.size ?? host.planned?.bytes ?? null,
    entries: result?.stream?.entries ?? host.planned?.entries ?? null,
    took: host.began === undefined || host.ended === undefined ? null : host.ended - host.began,
    down: host.downMs ?? null,
    digest: result?.image?.digest ?? '',
    error: host.error?.message ?? '',
  };
}

const COLUMNS: readonly (readonly [key: keyof FleetRow, heading: string, numeric: boolean])[] = [
  ['name', 'Host', false],
  ['state', 'State', false],
  ['system', 'System', false],
  ['image', 'Image', false],
  ['bytes', 'Size', true],
  ['entries', 'Entries', true],
  ['took', 'Took', true],
  ['down', 'Down', true],
  ['digest', 'Digest', false],
];

/** Failures first. */
export function fleetTable(rows: readonly FleetRow[]): Markup {
  const heads = COLUMNS.map(
    ([key, heading, numeric]) =>
      markup`<th scope="col"${numeric ? markup` class="n"` : undefined}><button type="button" data-key="${key}">${heading}</button></th>`,
  );
  const order = rows
    .map((row, index) => ({ row, index }))
    .sort((a, b) => ORDER.indexOf(a.row.state) - ORDER.indexOf(b.row.state));
  const states = [...new Set(rows.map(({ state }) => state))].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
  const boxes = states.map((state) => markup`<label><input type="checkbox" value="${state}" checked> ${state}</label>`);
  return markup`<div class="filter" role="search"><label for="search">Find</label><input type="search" id="search" placeholder="host, image, system, error">${boxes}<span id="shown" role="status" class="sub"></span></div>
<div class="scroll"><table id="fleet"><caption class="skip">All hosts; the buttons in its head sort it</caption><thead><tr>${heads}</tr></thead><tbody>
${order.map(({ row, index }) => tableRow(row, index))}</tbody></table></div>`;
}

function tableRow(row: FleetRow, index: number): Markup {
  const number = (value: number | null, words: (value: number) => string): string =>
    value === null ? '–' : words(value);
  return markup`<tr data-index="${index}"><td><a href="#${hostId(index)}">${row.name}</a></td><td><span class="state ${row.state.replaceAll(' ', '-')}">${row.state}</span></td><td>${row.system}</td><td>${row.image}</td><td class="n">${number(row.bytes, formatBytes)}</td><td class="n">${number(row.entries, (value) => value.toLocaleString('en-US'))}</td><td class="n">${number(row.took, formatDuration)}</td><td class="n">${number(row.down, formatDuration)}</td><td class="digest">${row.digest.slice(7, 19)}</td></tr>
`;
}
