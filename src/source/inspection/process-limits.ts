/** The limits that a server's applications run under: a container gives others unless it is told. */
import type { ServerProcess } from './processes.ts';
import type { Answers, Section } from './sections.ts';

/** As /proc/PID/limits has them; -1 is unlimited. */
export interface Limit {
  readonly soft: number;
  readonly hard: number;
}

export interface ProcessLimits {
  readonly pid: number;
  /** Of {@link KINDS}. */
  readonly limits: Readonly<Partial<Record<LimitName, Limit>>>;
}

export type LimitName = 'nofile' | 'memlock' | 'nproc' | 'core' | 'stack';

const KINDS: readonly (readonly [LimitName, string])[] = [
  ['nofile', 'Max open files'],
  ['memlock', 'Max locked memory'],
  ['nproc', 'Max processes'],
  ['core', 'Max core file size'],
  ['stack', 'Max stack size'],
];

/** Kernels before 2.6.24 have no such file. */
export function limitsSection(processes: readonly ServerProcess[]): Section {
  const files = processes.slice(0, 100).map(({ pid }) => `${pid}/limits`);
  const pattern = `^(${KINDS.map(([, words]) => words).join('|')}) `;
  const script = files.length === 0 ? 'true' : `cd /proc && grep -sE '${pattern}' ${files.join(' ')} /dev/null`;
  return { name: 'limits', script, maxBytes: 128 * 1024 };
}

export function readLimits(answers: Answers): ProcessLimits[] {
  const found = new Map<number, Partial<Record<LimitName, Limit>>>();
  for (const line of answers.lines('limits')) {
    const [, pid, words, soft, hard] =
      /^(\d+)\/limits:(Max [a-z ]+?)\s{2,}(\d+|unlimited)\s+(\d+|unlimited)/.exec(line) ?? [];
    const kind = KINDS.find(([, each]) => each === words)?.[0];
    if (pid === undefined || soft === undefined || hard === undefined || kind === undefined) continue;
    const limits = found.get(Number(pid)) ?? {};
    limits[kind] = { soft: numberOf(soft), hard: numberOf(hard) };
    found.set(Number(pid), limits);
  }
  return [...found].map(([pid, limits]) => ({ pid, limits }));
}

function numberOf(word: string): number {
  return word === 'unlimited' ? -1 : Number(word);
}
