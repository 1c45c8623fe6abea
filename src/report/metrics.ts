/**
 * A run as Prometheus text, for node-exporter's textfile collector (exposition format 0.0.4). The file is replaced as a
 * whole: the collector must never read half of one.
 */
import { open, rename } from 'node:fs/promises';
import { fileError } from '../oci/files.ts';
import type { HostRecord, HostState, RunRecord } from './run-record.ts';

const STATES: readonly HostState[] = ['waiting', 'running', 'done', 'failed', 'not begun', 'cut off'];

export type WatchedRun = Pick<RunRecord, 'verb' | 'began' | 'hosts'>;

function metricsOf(run: WatchedRun, at: number = Date.now()): string {
  const { hosts } = run;
  return [
    ...metric(
      'p2c_run_hosts',
      'gauge',
      'Hosts of the latest run, by state.',
      STATES.map((state) => [{ verb: run.verb, state }, hosts.filter((host) => host.state === state).length]),
    ),
    ...metric('p2c_run_start_time_seconds', 'gauge', 'When the latest run began.', [
      [{ verb: run.verb }, run.began / 1000],
    ]),
    ...metric('p2c_run_update_time_seconds', 'gauge', 'When this file was written.', [[{ verb: run.verb }, at / 1000]]),
    ...perHost(hosts, 'p2c_host_captured_bytes', 'Bytes captured in this run.', (host) => host.capturedBytes),
    ...perHost(hosts, 'p2c_host_planned_bytes', 'Bytes to be captured.', (host) => host.planned?.tarBytes),
    ...perHost(hosts, 'p2c_host_duration_seconds', 'Time since the host was begun, or that it took.', (host) =>
      host.began === undefined ? undefined : ((host.ended ?? at) - host.began) / 1000,
    ),
    ...perHost(hosts, 'p2c_host_downtime_seconds', 'Longest time that one of its applications was down.', (host) =>
      host.downMs === undefined ? undefined : host.downMs / 1000,
    ),
    ...perHost(hosts, 'p2c_host_success', '1 when done, 0 when failed or not begun.', (host) =>
      host.state === 'done' ? 1 : host.state === 'failed' || host.state === 'not begun' ? 0 : undefined,
    ),
    '',
  ].join('\n');
}

export async function writeMetrics(file: string, run: WatchedRun): Promise<void> {
  // The collector reads *.prom only.
  const whole = `${file}.${process.pid}.new`;
  try {
    const handle = await open(whole, 'w', 0o644);
    try {
      await handle.writeFile(metricsOf(run));
    } finally {
      await handle.close();
    }
    await rename(whole, file);
  } catch (error) {
    throw fileError(error, `the metrics file ${file}`);
  }
}

type Sample = readonly [labels: Readonly<Record<string, string>>, value: number];

function perHost(
  hosts: readonly HostRecord[],
  name: string,
  help: string,
  value: (host: HostRecord) => number | undefined,
): string[] {
  const samples = hosts.flatMap((host): Sample[] => {
    const sample = value(host);
    return sample === undefined ? [] : [[{ host: host.name }, sample]];
  });
  return metric(name, 'gauge', help, samples);
}

function metric(name: string, type: string, help: string, samples: readonly Sample[]): string[] {
  if (samples.length === 0) return [];
  const lines = samples.map(([labels, value]) => {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
    return `${name}{${pairs.join(',')}} ${value}`;
  });
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];
}

/** Of a label's value: backslash, quote, newline. */
function escaped(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}
