/** How a batch is shown while it is under way. */
import type { FleetHost } from '../fleet/host.ts';
import type { Run } from '../fleet/run.ts';
import { type Show, SILENT } from '../pipeline/stage.ts';
import { printable } from '../printable.ts';
import { PlainShow } from '../report/plain-show.ts';
import { PlainWaits } from '../report/waiting.ts';
import type { Aside } from './connection-options.ts';
import type { RunWatch } from './run-watch.ts';

interface Watching {
  readonly run: Run;
  readonly watch: RunWatch;
  readonly json: boolean;
}

export interface Shown {
  showFor(host: FleetHost): Show;
  /** A line about a host that is not begun yet. */
  notice(host: FleetHost, line: string): void;
  readonly aside: Aside;
}

/** Events under `--json`, a screen on a terminal, plain lines elsewhere. */
export async function watched<Done>(
  { run, watch, json }: Watching,
  work: (shown: Shown) => Promise<Done>,
): Promise<Done> {
  if (json) return work({ showFor: () => SILENT, notice: () => {}, aside: (ask) => ask() });
  if (!process.stderr.isTTY) {
    const waits = new PlainWaits(writeLine);
    run.listen((event) => waits.add(event));
    const showFor = ({ name }: FleetHost): Show => new PlainShow(writeLine, `${name}: `);
    return work({ showFor, notice: (host, line) => showFor(host).note(line), aside: (ask) => ask() });
  }
  const { FleetScreen } = await import('../report/fleet-screen.ts');
  await using screen = new FleetScreen(watch.hosts);
  const notice = ({ name }: FleetHost, line: string): void => screen.note(printable(`${name}: ${line}`));
  return await work({ showFor: () => SILENT, notice, aside: (ask) => screen.aside(ask) });
}

export function writeLine(line: string): void {
  process.stderr.write(`${line}\n`);
}
