/** How the image came up in a container, held against how its source was: in a run's report, and in lines for people. */
import { type errorRecord, P2cError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { HealthReport } from '../profiles/comparison.ts';
import { isWorse } from './stop-report.ts';
import { formatCount, formatDuration } from './units.ts';

export interface BootReport {
  readonly outcome: 'booted' | 'failed';
  /** Null where none could be made. */
  readonly container: {
    readonly id: string;
    readonly name: string;
    /** What its PID 1 is: the image's own init, a script that starts its applications, or its command. */
    readonly init: 'system' | 'services' | 'none';
    readonly why: string;
    readonly engine: string;
    readonly networks: readonly string[];
    /** What is held back until `p2c release`; null where it is in no quarantine. */
    readonly heldBack: string | null;
  } | null;
  readonly layers: number;
  /** Of the layers, those that were unpacked before the image was imported. */
  readonly unpackedEarly: number;
  /** Milliseconds from the last byte of the source to the start of the container; null where it did not start. */
  readonly startedAfterMs: number | null;
  /** The profiles' checks: on the source before anything was stopped, and in the container. */
  readonly health: readonly HealthReport[];
  /** TCP ports that listened on the source. */
  readonly ports: readonly BootedPort[];
  /** Why it failed. */
  readonly error: ReturnType<typeof errorRecord> | null;
}

export interface BootedPort {
  readonly port: number;
  /** `held back`: the quarantine keeps its service from starting. */
  readonly state: 'listens' | 'silent' | 'held back';
}

/** It runs, and does in the container what it did on its source. */
export function isBootedWell({ outcome, health, ports }: BootReport): boolean {
  return outcome === 'booted' && !health.some(isWorse) && !ports.some(({ state }) => state === 'silent');
}

/** @returns undefined where it booted. */
export function bootFailure(boot: BootReport | null, image: string): P2cError | undefined {
  if (boot?.error === null || boot?.error === undefined) return undefined;
  const { message, code, hint, causes } = boot.error;
  return new P2cError(`the image ${image} was made, but it did not boot: ${message}`, {
    code,
    ...(hint === undefined ? {} : { hint }),
    cause: causes[0] === undefined ? undefined : new Error(causes[0]),
  });
}

const PID_1 = { system: 'its own init', services: 'its applications', none: 'its command' };

/** The stage's last line. */
export function summariseBoot(boot: BootReport): string {
  if (boot.container === null || boot.outcome === 'failed') return `it did not boot: ${boot.error?.message ?? ''}`;
  const { name, init } = boot.container;
  return [`${name} runs ${PID_1[init]}`, ...wellness(boot)].join(', ');
}

/** Lines for the end of a run. */
export function describeBoot(boot: BootReport): string[] {
  const { container, error } = boot;
  if (container === null || boot.outcome === 'failed') {
    return [`NOT BOOTED  ${printable(error?.message ?? '')}`, ...(container === null ? [] : logsOf(container.name))];
  }
  const { name, init, why, networks, heldBack } = container;
  const after = boot.startedAfterMs === null ? '' : `, ${formatDuration(boot.startedAfterMs)} after the last byte`;
  const where = networks.length === 0 ? 'on no network' : `on the network ${networks.join(', ')}`;
  const held = heldBack === null ? '' : `, in quarantine${heldBack === '' ? '' : `: ${heldBack} held back`}`;
  return [
    `Booted      ${name}${after}: ${PID_1[init]}, ${where}${printable(held)}`,
    `              ${printable(why)}`,
    `              ${boot.unpackedEarly} of ${formatCount(boot.layers, 'layer')} were unpacked before the image was imported`,
    ...describeWellness(boot),
    ...(heldBack === null ? [] : [`              'p2c release ${name}' ends its quarantine`]),
  ];
}

function logsOf(name: string): string[] {
  return [`              'p2c logs ${name}' has what it said, 'p2c rm -f ${name}' removes it`];
}

function wellness({ health, ports }: BootReport): string[] {
  const well = health.filter((check) => check.before === 'healthy' && check.after === 'healthy').length;
  const expected = ports.filter(({ state }) => state !== 'held back');
  const listening = expected.filter(({ state }) => state === 'listens').length;
  return [
    ...(health.length === 0 ? [] : [`${well} of ${health.length} checks are well`]),
    ...(expected.length === 0 ? [] : [`${listening} of ${expected.length} ports listen`]),
  ];
}

function describeWellness(boot: BootReport): string[] {
  const found = wellness(boot);
  if (found.length === 0) return [];
  const sick = boot.health.filter(({ before, after }) => before !== 'healthy' || after !== 'healthy');
  const silent = boot.ports.filter(({ state }) => state !== 'listens');
  return [
    `In it       ${found.join(', ')}`,
    ...sick.map(
      ({ application, check, before, after, says }) =>
        `              ${application}, ${check}: ${before} on the server, ${after} here${says === '' ? '' : ` (${says})`}`,
    ),
    ...silent.map(({ port, state }) =>
      state === 'silent'
        ? `              port ${port}: listened on the server, and nobody listens here`
        : `              port ${port}: held back with the mail of the server`,
    ),
  ];
}
