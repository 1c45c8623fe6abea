/** `scripts/bench-runtime`: containers by p2c, runc and podman, their times, and what p2c's leave behind. */
import { execFileSync, spawn } from 'node:child_process';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { makeRoot, makeStore, NETWORK, p2cRunner, podmanRunner, type Runner, runcRunner } from './bench-runners.ts';
import { leftBehind, machineState } from './left-behind.ts';

const [work = '.', ...counts] = process.argv.slice(2);
const [rounds = 10, parallel = 20, sequence = 200] = counts.map(Number);
/** Times over runc's that are aimed at, from the call to the first output. */
const AIM = 2;

interface Times {
  /** Milliseconds from the call to the first byte of standard output, and to the end. */
  readonly first: number;
  readonly end: number;
}

/** @throws Error where it fails: a time of something that did not happen is none. */
function time([program = '', ...words]: readonly string[], wants: 'output' | 'nothing'): Promise<Times> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    // What stays in the background must not hold the pipes open.
    const child = spawn(program, words, { stdio: ['ignore', wants === 'output' ? 'pipe' : 'ignore', 'inherit'] });
    let first: number | undefined;
    child.stdout?.on('data', () => {
      first ??= performance.now() - began;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      const end = performance.now() - began;
      if (code !== 0) reject(new Error(`${[program, ...words].join(' ')} ended with ${code}`));
      else if (wants === 'output' && first === undefined) reject(new Error(`${program} said nothing`));
      else resolve({ first: first ?? end, end });
    });
  });
}

let made = 0;
function newName(): string {
  made += 1;
  return `bench-${made}`;
}

const store = join(work, 'store');
const { root, tar } = makeRoot(work);
await makeStore(store, tar);
const own = (['runc', 'namespaces'] as const).map((engine) => p2cRunner(engine, { root: store }));
const onNetwork = (['runc', 'namespaces'] as const).map((engine) =>
  p2cRunner(engine, { root: store, network: NETWORK }),
);
const runners = [runcRunner(work, root), ...own, podmanRunner(work, tar)];
execFileSync(process.execPath, ['dist/cli.cjs', 'network', 'create', '--subnet', '10.89.0.0/24', NETWORK], {
  env: { ...process.env, P2C_ROOT: store },
  stdio: ['ignore', 'ignore', 'inherit'],
});

/** What is made once and stays: unpacked layers, findings about engines, chains of the packet filter. */
for (const runner of [...runners, ...onNetwork]) await time(runner.once(newName()), 'output');
const folders = [store, '/run/p2c', join(work, 'tmp')];
const before = machineState(folders);
const leaks: string[] = [];

/** For the row of a runner: how much of it stayed, where that is p2c's to answer for. */
async function leftBy(runner: Runner, what: string): Promise<string> {
  if (!runner.name.startsWith('p2c')) return '-';
  const left = await leftBehind(before, folders);
  leaks.push(...left.map((each) => `${runner.name}, ${what}: ${each}`));
  return left.length === 0 ? 'nothing' : String(left.length);
}

function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

function row(name: string, ...cells: readonly string[]): void {
  say(`${name.padEnd(30)}${cells.map((cell) => cell.padStart(14)).join('')}`);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function over(time: number, base: number | undefined): string {
  return base === undefined || base === 0 ? '-' : `${(time / base).toFixed(2)} x`;
}

/** Interleaved, so that what else the machine does falls on all alike. */
async function firstOutput(): Promise<void> {
  const commands = new Map<string, () => readonly string[]>([
    ['node, which says a word', () => [process.execPath, '-e', 'process.stdout.write("ready")']],
    ['p2c --version', () => [process.execPath, 'dist/cli.cjs', '--version']],
    ...runners.map((runner): [string, () => readonly string[]] => [runner.name, () => runner.once(newName())]),
  ]);
  const times = new Map<string, Times[]>([...commands.keys()].map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, command] of commands) times.get(name)?.push(await time(command(), 'output'));
  }
  const firstOf = (name: string): number => median((times.get(name) ?? []).map(({ first }) => first));
  row(`median of ${rounds}`, 'first output', 'over runc', 'call ended');
  for (const name of commands.keys()) {
    const end = median((times.get(name) ?? []).map((each) => each.end));
    row(name, `${firstOf(name).toFixed(0)} ms`, over(firstOf(name), firstOf('runc')), `${end.toFixed(0)} ms`);
  }
  say(`p2c over runc is to be at most ${AIM}`);
  say();
}

async function allAtOnce(commands: readonly (readonly string[])[]): Promise<number> {
  const began = performance.now();
  await Promise.all(commands.map((command) => time(command, 'nothing')));
  return performance.now() - began;
}

async function atOnce(): Promise<void> {
  row(`${parallel} at once`, 'started', 'removed', 'over runc', 'left behind');
  let base: number | undefined;
  for (const runner of [...runners, ...onNetwork]) {
    const names = Array.from({ length: parallel }, newName);
    const started = await allAtOnce(names.map((name) => runner.start(name)));
    const removed = await allAtOnce(names.map((name) => runner.remove(name)));
    base ??= started + removed;
    row(
      runner.name,
      `${(started / 1000).toFixed(2)} s`,
      `${(removed / 1000).toFixed(2)} s`,
      over(started + removed, base),
      await leftBy(runner, `${parallel} at once`),
    );
  }
  say();
}

async function oneAfterTheOther(): Promise<void> {
  row(`${sequence} one after the other`, 'each', 'all', 'over runc', 'left behind');
  let base: number | undefined;
  for (const runner of runners) {
    const began = performance.now();
    for (let at = 0; at < sequence; at += 1) await time(runner.once(newName()), 'output');
    const all = performance.now() - began;
    base ??= all;
    const left = await leftBy(runner, `${sequence} one after the other`);
    row(runner.name, `${(all / sequence).toFixed(0)} ms`, `${(all / 1000).toFixed(1)} s`, over(all, base), left);
  }
  say();
}

say(`on ${cpus().length} cores, Node ${process.versions.node}`);
say();
await firstOutput();
await atOnce();
await oneAfterTheOther();
const ran = (own.length * (1 + rounds + sequence) + (own.length + onNetwork.length) * parallel).toString();
if (leaks.length === 0) say(`p2c left nothing behind of about ${ran} containers`);
else say(['left behind:', ...leaks].join('\n'));
process.exitCode = leaks.length === 0 ? 0 : 1;
