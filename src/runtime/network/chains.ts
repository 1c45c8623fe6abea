/**
 * The chains that the plugins portmap and firewall make in the machine's packet filter and never remove. Those that were
 * not there before p2c's first container, and that nobody has a rule in, go with the last one.
 */
import { execFile, spawn } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import * as z from 'zod';
import { P2cError, systemCode } from '../../errors.ts';
import { findProgram } from '../host-program.ts';
import { HOST_ENVIRONMENT } from '../isolation.ts';
import { CHAINS_RECORD } from './run-folder.ts';

const run = promisify(execFile);

interface Family {
  readonly table: 'nat' | 'filter';
  /** Everyone's rules are in this one: while it has any, the chains are in use. */
  readonly inUse: string;
  /** The plugin's own constant rules are in these. */
  readonly chains: readonly string[];
}

/** As the plugins name them (plugins/meta/portmap/portmap.go, plugins/meta/firewall/iptables.go). */
const FAMILIES: readonly Family[] = [
  {
    table: 'nat',
    inUse: 'CNI-HOSTPORT-DNAT',
    chains: ['CNI-HOSTPORT-DNAT', 'CNI-HOSTPORT-MASQ', 'CNI-HOSTPORT-SETMARK'],
  },
  { table: 'filter', inUse: 'CNI-FORWARD', chains: ['CNI-FORWARD', 'CNI-ADMIN'] },
];

/** Before the first container: which of them p2c will have made. Under the networks' lock. */
export async function noteChains(): Promise<void> {
  if ((await notedFamilies()) !== undefined) return;
  const absent: string[] = [];
  for (const { table, inUse } of FAMILIES) {
    const rules = await rulesOf(table);
    if (rules !== undefined && !rules.includes(`-N ${inUse}`)) absent.push(inUse);
  }
  await writeFile(CHAINS_RECORD, JSON.stringify(absent), { mode: 0o600 });
}

/** Tables in which chains of p2c's are that nobody has a rule in. */
export async function idleChains(): Promise<string[]> {
  const noted = (await notedFamilies()) ?? [];
  const idle: string[] = [];
  for (const family of FAMILIES.filter(({ inUse }) => noted.includes(inUse))) {
    const rules = (await rulesOf(family.table)) ?? [];
    if (rules.includes(`-N ${family.inUse}`) && removalOf(family, rules) !== undefined) idle.push(family.table);
  }
  return idle;
}

/** Under the networks' lock. A rule that appears meanwhile keeps the chains: they are removed all at once or not at all. */
export async function removeIdleChains(): Promise<void> {
  const noted = await notedFamilies();
  if (noted === undefined) return;
  let left = 0;
  for (const family of FAMILIES.filter(({ inUse }) => noted.includes(inUse))) {
    const rules = (await rulesOf(family.table)) ?? [];
    if (!rules.includes(`-N ${family.inUse}`)) continue;
    const removal = removalOf(family, rules);
    if (removal === undefined || !(await restore(family.table, removal))) left += 1;
  }
  if (left === 0) await rm(CHAINS_RECORD, { force: true });
}

/**
 * The lines for iptables-restore(8) that take the chains away; undefined while somebody has a rule in them.
 * @param rules as `iptables -S` prints them.
 */
export function removalOf({ inUse, chains }: Family, rules: readonly string[]): string[] | undefined {
  const added = rules.filter((rule) => rule.startsWith('-A '));
  const leadsToOurs = (rule: string): boolean => chains.some((chain) => rule.endsWith(` -j ${chain}`));
  const within = added.filter((rule) => chains.some((chain) => rule.startsWith(`-A ${chain} `)));
  const foreign = within.filter(
    (rule) => !leadsToOurs(rule) && (rule.startsWith(`-A ${inUse} `) || rule.startsWith('-A CNI-ADMIN ')),
  );
  if (foreign.length > 0) return undefined;
  const gone = [...new Set([...within, ...added.filter(leadsToOurs)])];
  const there = chains.filter((chain) => rules.includes(`-N ${chain}`));
  return [...gone.map((rule) => rule.replace(/^-A/, '-D')), ...there.map((chain) => `-X ${chain}`)];
}

async function notedFamilies(): Promise<string[] | undefined> {
  try {
    return z.array(z.string()).parse(JSON.parse(await readFile(CHAINS_RECORD, 'utf8')));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Undefined where there is no iptables. */
async function rulesOf(table: Family['table']): Promise<string[] | undefined> {
  const program = iptables('iptables');
  if (program === undefined) return undefined;
  const { stdout } = await run(program, ['-w', '-t', table, '-S'], {
    env: HOST_ENVIRONMENT,
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.split('\n');
}

async function restore(table: Family['table'], lines: readonly string[]): Promise<boolean> {
  const program = iptables('iptables-restore');
  if (program === undefined) return false;
  const child = spawn(program, ['-w', '--noflush'], { env: HOST_ENVIRONMENT, stdio: ['pipe', 'ignore', 'ignore'] });
  child.stdin.on('error', () => {}).end(`*${table}\n${lines.join('\n')}\nCOMMIT\n`);
  return new Promise((resolve) => {
    child.once('error', () => resolve(false)).once('close', (code) => resolve(code === 0));
  });
}

function iptables(name: string): string | undefined {
  try {
    return findProgram(name, 'iptables');
  } catch (error) {
    if (error instanceof P2cError) return undefined;
    throw error;
  }
}
