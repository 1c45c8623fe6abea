/** All about one host, folded away under its name. */
import type { HostRecord } from '../run-record.ts';
import { formatBytes, formatCount, formatDuration } from '../units.ts';
import { capturedSections } from './captured-sections.ts';
import { ledgerSection } from './ledger-section.ts';
import { type Markup, markup } from './markup.ts';
import { type ShownResult, shownResult } from './result.ts';
import { timeline } from './timeline.ts';

export interface SectionOptions {
  readonly open: boolean;
  /** Commands of the ledger that are listed. */
  readonly commands: number;
}

export function hostId(index: number): string {
  return `host-${index + 1}`;
}

export function hostSection(host: HostRecord, index: number, { open, commands }: SectionOptions): Markup {
  const result = shownResult(host.result);
  const state = host.state.replace(' ', '-');
  return markup`<details class="host" id="${hostId(index)}"${open ? markup` open` : undefined}><summary><h3>${host.name}</h3> <span class="state ${state}">${host.state}</span> <span class="gist">${gist(host)}</span></summary>
${failure(host)}${facts(host)}
<section><h4>Stages</h4>${timeline(host)}</section>
${result === undefined ? undefined : capturedSections(result)}${notes(host)}${ledgerSection([...outside(host), ...(result?.ledger ?? [])], commands)}</details>
`;
}

/** The commands that no result lists: of a host that failed, and of attempts before the one that went well. */
function outside({ commands }: HostRecord): ShownResult['ledger'] {
  return commands.map(({ exitCode, milliseconds, ...command }) => ({
    ...command,
    code: exitCode,
    durationMs: milliseconds,
  }));
}

function gist({ error, image, downMs, planned }: HostRecord): string {
  if (error !== undefined) return error.message;
  const down = downMs === undefined ? '' : `down ${formatDuration(downMs)}`;
  return [image ?? '', planned === undefined ? '' : formatBytes(planned.bytes), down]
    .filter((word) => word !== '')
    .join(' · ');
}

function failure({ error }: HostRecord): Markup | undefined {
  if (error === undefined) return undefined;
  const causes = error.causes.map((cause) => markup`<li>${cause}</li>`);
  return markup`<div class="failure" role="note"><p><strong>${error.message}</strong></p>
${error.hint === undefined ? undefined : markup`<p>What to do: ${error.hint}</p>`}${causes.length === 0 ? undefined : markup`<p>Beneath it:</p><ul>${causes}</ul>`}<p class="code">${error.code}</p></div>`;
}

function facts(host: HostRecord): Markup {
  const { facts: found, planned, result } = host;
  const source = shownResult(result)?.source ?? found;
  const image = shownResult(result)?.image;
  const rows: (readonly [string, string | undefined])[] = [
    ['Reached as', host.target],
    ['System', source === undefined ? undefined : `${source.distribution}, Linux ${source.kernel}, ${source.machine}`],
    ['Host name', source?.hostname],
    ['Image', host.image ?? undefined],
    ['Digest', image?.digest],
    ['Size', image === undefined ? undefined : `${formatBytes(image.size)} in ${formatCount(image.layers, 'layer')}`],
    [
      'Planned',
      planned === undefined
        ? undefined
        : `${formatCount(planned.entries, 'entry', 'entries')}, ${formatBytes(planned.bytes)}`,
    ],
    ['Begun', host.attempts > 1 ? formatCount(host.attempts, 'time') : undefined],
    ['Kept', host.keptBytes === 0 ? undefined : `${formatBytes(host.keptBytes)} from before it was resumed`],
  ];
  return markup`<dl class="facts">${rows.map(([name, value]) => (value === undefined || value === '' ? undefined : markup`<div><dt>${name}</dt><dd>${value}</dd></div>`))}</dl>`;
}

function notes({ notes: lines }: HostRecord): Markup | undefined {
  if (lines.length === 0) return undefined;
  return markup`<section><h4>What was said meanwhile</h4><ul class="plain">${lines.map((line) => markup`<li>${line}</li>`)}</ul></section>`;
}
