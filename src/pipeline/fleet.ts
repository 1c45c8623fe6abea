/** Runs one piece of work on each host of a fleet, a few at a time. One host's failure leaves the others alone. */
import pLimit from 'p-limit';
import type { Show } from './stage.ts';

export type HostOutcome<Host, Result> =
  | { readonly host: Host; readonly result: Result }
  | { readonly host: Host; readonly error: unknown };

export interface FleetWork<Host, Result> {
  readonly concurrency: number;
  readonly showFor: (host: Host) => Show;
  readonly work: (host: Host, show: Show, signal: AbortSignal) => Promise<Result>;
  readonly signal: AbortSignal;
}

/** @returns an outcome for every host, in the hosts' order; hosts not begun when interrupted fail with the interruption. */
export async function runHosts<Host, Result>(
  hosts: readonly Host[],
  { concurrency, showFor, work, signal }: FleetWork<Host, Result>,
): Promise<HostOutcome<Host, Result>[]> {
  const limit = pLimit(concurrency);
  const runOne = async (host: Host): Promise<HostOutcome<Host, Result>> => {
    try {
      signal.throwIfAborted();
      return { host, result: await work(host, showFor(host), signal) };
    } catch (error) {
      return { host, error };
    }
  };
  return Promise.all(hosts.map((host) => limit(() => runOne(host))));
}
