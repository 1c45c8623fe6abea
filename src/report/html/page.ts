/**
 * A run as one page that needs nothing else: no network, no other file. What servers and users named is escaped wherever
 * it stands, and the page's policy lets no script run but its own.
 */
import { createHash } from 'node:crypto';
import type { RunRecord } from '../run-record.ts';
import { formatBytes, formatCount, formatDuration } from '../units.ts';
import { fleetRow, fleetTable } from './fleet-table.ts';
import { hostId, hostSection } from './host-section.ts';
import { jsonBlock, type Markup, markup, trusted } from './markup.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

/** A page of a thousand hosts lists fewer commands of each: it is to open in any browser. */
const MANY_HOSTS = 100;
const COMMANDS = 400;
const COMMANDS_OF_MANY = 5;
const FAILURES_LISTED = 12;

/** @param state of the run, in a word. */
export function reportPage(run: RunRecord, state: string): string {
  const rows = run.hosts.map(fleetRow);
  const script = createHash('sha256').update(SCRIPT).digest('base64');
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${script}'; base-uri 'none'; form-action 'none'`;
  const options = {
    open: run.hosts.length === 1,
    commands: run.hosts.length > MANY_HOSTS ? COMMANDS_OF_MANY : COMMANDS,
  };
  const page = markup`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><meta name="generator" content="p2c ${run.version}">
<title>p2c ${run.verb}, run ${run.id}: ${state}</title><style>${trusted(STYLE)}</style></head><body${run.hosts.length > MANY_HOSTS ? markup` class="many"` : undefined}>
<a class="skip" href="#hosts">To the hosts</a>
<header><h1>p2c ${run.verb}</h1><p class="sub">Run ${run.id}, begun ${moment(run.began)}, last seen ${moment(run.lastSeen)}${run.resumed === 0 ? undefined : `, resumed ${formatCount(run.resumed, 'time')}`}</p></header>
<main>${cards(run, state)}${failures(run)}
${run.hosts.length === 1 ? undefined : markup`<h2 id="table">All hosts</h2>${fleetTable(rows)}`}
<h2 id="hosts">${run.hosts.length === 1 ? 'The host' : 'Each host'}</h2>
${run.hosts.map((host, index) => hostSection(host, index, options))}</main>
<footer class="sub"><p>Made by p2c ${run.version}. All times are UTC.</p></footer>
<script type="application/json" id="data">${jsonBlock({ run: run.id, hosts: rows })}</script>
<script>${trusted(SCRIPT)}</script>
</body></html>
`;
  return page.text;
}

function moment(at: number): string {
  return new Date(at).toISOString().slice(0, 19).replace('T', ' ');
}

function cards(run: RunRecord, state: string): Markup {
  const { hosts } = run;
  const done = hosts.filter((host) => host.state === 'done').length;
  const failed = hosts.filter((host) => host.state === 'failed' || host.state === 'cut off').length;
  const notBegun = hosts.filter((host) => host.state === 'not begun').length;
  const bytes = hosts.reduce((sum, host) => sum + host.capturedBytes, 0);
  const downs = hosts.flatMap(({ downMs }) => downMs ?? []);
  const numbers: (readonly [string, string])[] = [
    [state, 'the run'],
    [`${done} of ${hosts.length}`, hosts.length === 1 ? 'host done' : 'hosts done'],
    ...(failed === 0 ? [] : [[String(failed), 'failed'] as const]),
    ...(notBegun === 0 ? [] : [[String(notBegun), 'not begun'] as const]),
    ...(bytes === 0 ? [] : [[formatBytes(bytes), 'captured'] as const]),
    ...(downs.length === 0 ? [] : [[formatDuration(Math.max(...downs)), 'longest downtime'] as const]),
    [formatDuration(run.lastSeen - run.began), 'in all'],
  ];
  return markup`<ul class="cards">${numbers.map(([number, what]) => markup`<li><b>${number}</b><span>${what}</span></li>`)}</ul>`;
}

/** In the order in which they failed: the first is often the cause of the rest. */
function failures({ hosts }: RunRecord): Markup | undefined {
  const failed = hosts
    .map((host, index) => ({ host, index }))
    .filter(({ host }) => host.error !== undefined && host.state !== 'not begun')
    .sort((a, b) => (a.host.ended ?? 0) - (b.host.ended ?? 0));
  if (failed.length === 0) return undefined;
  const items = failed
    .slice(0, FAILURES_LISTED)
    .map(
      ({ host, index }) =>
        markup`<li><a href="#${hostId(index)}">${host.name}</a>: ${host.error?.message}${host.error?.hint === undefined ? undefined : markup` <span class="sub">What to do: ${host.error.hint}</span>`}</li>`,
    );
  const more =
    failed.length > FAILURES_LISTED
      ? markup`<p>and ${failed.length - FAILURES_LISTED} more, at the top of the table</p>`
      : undefined;
  return markup`<section aria-labelledby="failed"><h2 id="failed">What failed first</h2><div class="failure"><ol>${items}</ol>${more}</div></section>`;
}
