/** A batch as lines for a terminal: a heading, what failed, then one line per host; as many as fit, from where one scrolled to. */
import { printable } from '../printable.ts';
import type { HostRecord } from './run-record.ts';
import { formatBytes, formatCount, formatDuration, formatRate, formatTimeLeft } from './units.ts';

export interface Screen {
  readonly width: number;
  readonly height: number;
  /** Hosts that are scrolled past. */
  readonly offset: number;
  readonly now: number;
  readonly colours: boolean;
}

const FAILURES_SHOWN = 5;
/** Characters from which on a line has room for all that is known: below, the time that applications are down would be cut off. */
const WIDE = 110;
const ORDER = { running: 0, 'cut off': 1, waiting: 2, failed: 3, 'not begun': 4, done: 5 } as const;

/** Failures have lines of their own at the top; below, those under way come first. */
export function fleetLines(hosts: readonly HostRecord[], screen: Screen): string[] {
  const failed = hosts.filter(({ state }) => state === 'failed');
  const failures = failed.slice(-FAILURES_SHOWN).map((host) => failureLine(host));
  const hidden = failed.length - failures.length;
  const top = [heading(hosts), ...failures, ...(hidden > 0 ? [`  and ${hidden} more failed before`] : [])];
  const rows = [...hosts].sort((a, b) => ORDER[a.state] - ORDER[b.state]);
  const room = roomFor(hosts, screen.height);
  const offset = Math.min(screen.offset, Math.max(0, rows.length - room));
  const shown = rows.slice(offset, offset + room);
  const wide = screen.width >= WIDE;
  const names = Math.min(
    wide ? 40 : Math.max(12, Math.floor(screen.width / 5)),
    Math.max(4, ...hosts.map(({ name }) => name.length)),
  );
  const lines = [...top, ...shown.map((host) => hostLine(host, { names, wide, now: screen.now }))];
  if (rows.length > room)
    lines.push(
      `  ${offset + 1}-${offset + shown.length} of ${formatCount(rows.length, 'host')}; arrows, page up and page down scroll`,
    );
  return lines.map((line, index) => coloured(fitted(line, screen.width), index, failures.length, screen.colours));
}

/** How many hosts of the list are seen at once. */
export function roomFor(hosts: readonly HostRecord[], height: number): number {
  const failed = hosts.filter(({ state }) => state === 'failed').length;
  const top = 1 + Math.min(failed, FAILURES_SHOWN) + (failed > FAILURES_SHOWN ? 1 : 0);
  // One line stays for what keys there are, and one for the cursor.
  return Math.max(1, height - top - 2);
}

/** How far the list can be scrolled. */
export function lastOffset(hosts: readonly HostRecord[], height: number): number {
  return Math.max(0, hosts.length - roomFor(hosts, height));
}

function heading(hosts: readonly HostRecord[]): string {
  const count = (state: HostRecord['state']): number => hosts.filter((host) => host.state === state).length;
  const words = (['done', 'running', 'waiting', 'failed', 'not begun'] as const)
    .map((state) => [state, count(state)] as const)
    .filter(([, number]) => number > 0)
    .map(([state, number]) => `${number} ${state}`);
  return `${formatCount(hosts.length, 'host')}: ${words.join(', ')}`;
}

function failureLine({ name, error }: HostRecord): string {
  return `✗ ${name}: ${error?.message ?? 'failed'}`;
}

const MARKS = { running: '»', 'cut off': '?', waiting: '·', failed: '✗', 'not begun': '-', done: '✓' } as const;

interface Look {
  /** Characters of a name. */
  readonly names: number;
  readonly wide: boolean;
  readonly now: number;
}

function hostLine(host: HostRecord, look: Look): string {
  return `${MARKS[host.state]} ${shortened(host.name, look.names).padEnd(look.names)}  ${whatOf(host, look)}`;
}

/** Hosts' names differ at their beginning or at their end. */
function shortened(name: string, most: number): string {
  const tail = Math.floor((most - 1) / 2);
  return name.length <= most ? name : `${name.slice(0, most - 1 - tail)}…${name.slice(name.length - tail)}`;
}

function whatOf(host: HostRecord, look: Look): string {
  const { now } = look;
  const took = host.began === undefined ? '' : formatDuration((host.ended ?? now) - host.began);
  const down = downOf(host, now);
  if (host.state === 'done')
    return [`done in ${took}`, host.image ?? '', down].filter((part) => part !== '').join('  ');
  if (host.state === 'failed') return `failed after ${took === '' ? '0 ms' : took}`;
  if (host.state === 'not begun') return host.error?.message ?? 'not begun';
  if (host.waiting !== undefined) return `waits ${host.waiting}`;
  if (host.state === 'waiting') return 'waits';
  const stage = host.stages.findLast(({ outcome }) => outcome === 'running')?.stage ?? '';
  return [stage, shareOf(host, look), down].filter((part) => part !== '').join('  ');
}

/** `54%  290 MB/s  3.4 s left`, or what the stage says of itself. */
function shareOf({ progress, stages }: HostRecord, { now, wide }: Look): string {
  if (progress === undefined) return '';
  const { done, total, line } = progress;
  if (done === undefined || total === undefined || total === 0) return line;
  const began = stages.at(-1)?.began ?? now;
  const share = Math.min(1, done / total);
  const elapsed = Math.max(1, now - began);
  const left = formatTimeLeft(share, elapsed);
  const part = `${Math.floor(share * 100)}%`;
  return [wide ? `${part} of ${formatBytes(total)}` : part, formatRate(done, elapsed), left]
    .filter((each) => each !== '')
    .join('  ');
}

function downOf({ downSince, downMs }: HostRecord, now: number): string {
  if (downSince !== undefined) return `down ${formatDuration(now - downSince)}`;
  return downMs === undefined ? '' : `was down ${formatDuration(downMs)}`;
}

/** Cut to the width, so that no line breaks in two: the lines above are found again by counting. */
function fitted(line: string, width: number): string {
  const characters = Array.from(printable(line));
  return characters.length <= width ? characters.join('') : `${characters.slice(0, Math.max(0, width - 1)).join('')}…`;
}

const RED = '\x1b[31m';
const GREEN = '\x1b[32m';
const BOLD = '\x1b[1m';
const PLAIN = '\x1b[0m';

function coloured(line: string, index: number, failures: number, colours: boolean): string {
  if (!colours) return line;
  if (index === 0) return `${BOLD}${line}${PLAIN}`;
  if (index <= failures || line.startsWith('✗')) return `${RED}${line}${PLAIN}`;
  return line.startsWith('✓') ? `${GREEN}${line}${PLAIN}` : line;
}
