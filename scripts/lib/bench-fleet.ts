/** `scripts/bench-fleet`: batches over lab servers beside the loop by hand, and over many simulated hosts. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { type LabServer, startLabServer } from '../../test/helpers/lab.ts';
import { LESS_TO_LIST, startRecordedServers, writeFleet } from '../../test/helpers/recorded-servers.ts';

const work = process.env['WORK'] ?? '.';
const [count = 8, megabytes = 60, hosts = 1000, concurrency = 16] = process.argv.slice(2).map(Number);
const MOST_MEMORY = 1000;
/** CPU per GB with many hosts over that with one. What a call costs once falls on less with one host, so below 1 is usual. */
const MOST_GROWTH = 1.25;
const P2C = [process.execPath, 'dist/cli.cjs'];

interface Cost {
  readonly seconds: number;
  readonly cpu: number;
  /** Of the largest process, in megabytes. */
  readonly memory: number;
}

/** Runs it under GNU time. @throws Error where it fails. */
async function cost(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Cost> {
  const [times, log] = [join(work, 'time'), join(work, 'log')];
  const command = ['-q', '-o', times, '-f', '%e %U %S %M', 'sh', '-c', 'exec "$@" >"$LOG" 2>&1', 'sh', ...words];
  // The program, not the shell's word: env finds it.
  const child = spawn('env', ['time', ...command], {
    env: { ...process.env, ...environment, LOG: log },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}: ${readFileSync(log, 'utf8').slice(-2000)}`);
  const [seconds = 0, user = 0, system = 0, kibibytes = 0] = readFileSync(times, 'utf8').split(' ').map(Number);
  return { seconds, cpu: user + system, memory: (kibibytes * 1024) / 1e6 };
}

function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

function row(name: string, { seconds, cpu, memory }: Cost, bytes: number): void {
  const cells = [seconds.toFixed(1), cpu.toFixed(1), memory.toFixed(0), (cpu / (bytes / 1e9)).toFixed(1)];
  say(name.padEnd(40) + cells.map((cell) => cell.padStart(10)).join(''));
}

async function inventory(servers: readonly LabServer[]): Promise<string[]> {
  const [file, known] = [join(work, 'fleet.yaml'), join(work, 'known_hosts')];
  const lines = servers.map(
    ({ address, identity }, at) => `  host${at}: { address: ${address}, identity: ${identity} }`,
  );
  await writeFile(file, `defaults: { user: root, tag: 'bench/{{host}}:latest' }\nhosts:\n${lines.join('\n')}\n`);
  await writeFile(known, servers.map(({ knownHosts }) => readFileSync(knownHosts, 'utf8')).join(''));
  return ['-i', file, '-F', 'none', '--known-hosts', known, '--no-stop'];
}

/** @returns what it cost, and the bytes of the layers as the images say them. */
async function migrate(words: readonly string[]): Promise<Cost & { readonly bytes: number }> {
  const root = join(work, 'store');
  const spent = await cost([...P2C, 'migrate', ...words], { P2C_ROOT: root });
  const bytes = await capturedBytes(root);
  await rm(root, { recursive: true });
  return { ...spent, bytes };
}

async function capturedBytes(root: string): Promise<number> {
  const file = join(work, 'images.json');
  await cost(['sh', '-c', 'exec "$@" >"$FILE"', 'sh', ...P2C, 'images', '--json'], { P2C_ROOT: root, FILE: file });
  const images: { Size: number }[] = JSON.parse(readFileSync(file, 'utf8'));
  return images.reduce((sum, { Size }) => sum + Size, 0);
}

/** As engineers do it, with the folders that p2c leaves out by itself left out too. */
async function byHand(servers: readonly LabServer[]): Promise<Cost> {
  const loop = servers.map(({ address, identity, knownHosts }, at) => {
    const server = `ADDRESS=${address} KEY=${identity} KNOWN_HOSTS=${knownHosts}`;
    return `${server}; remote "$(tar_command)" | own_podman import - bench/host${at}:latest`;
  });
  return cost(['bash', '-c', ['set -euo pipefail', '. scripts/lib/bench-ways.sh', ...loop].join('\n')]);
}

async function realServers(): Promise<boolean> {
  const servers: LabServer[] = [];
  try {
    for (let at = 0; at < count; at += 1) servers.push(await startLabServer('bench-fleet'));
    const fill = `mkdir -p /srv/data && head -c ${megabytes}M /dev/urandom | split -b 256k - /srv/data/ && sync`;
    for (const server of servers) await server.exec(fill);
    return await compare(servers);
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]();
  }
}

async function compare(servers: readonly LabServer[]): Promise<boolean> {
  const words = await inventory(servers);
  // Read once, so that the order of the ways does not matter.
  await migrate([...words, '--concurrency', '1']);
  const one = await migrate([...words, 'host0']);
  const inTurn = await migrate([...words, '--concurrency', '1']);
  const atOnce = await migrate([...words, '--concurrency', String(count)]);
  const loop = await byHand(servers);
  say(`${count} servers, ${(inTurn.bytes / 1e6).toFixed(0)} MB captured, on ${cpus().length} cores for them and p2c`);
  say();
  say(''.padEnd(40) + ['wall s', 'CPU s', 'peak MB', 'CPU s/GB'].map((cell) => cell.padStart(10)).join(''));
  row('p2c migrate of one', one, one.bytes);
  row('p2c migrate, one after the other', inTurn, inTurn.bytes);
  row(`p2c migrate, ${count} at once`, atOnce, atOnce.bytes);
  row('loop over ssh tar | podman import', loop, inTurn.bytes);
  say();
  const ratio = (value: number, meaning: string): void => say(`${value.toFixed(2).padStart(6)}   ${meaning}`);
  const growth = atOnce.cpu / atOnce.bytes / (one.cpu / one.bytes);
  ratio(inTurn.seconds / atOnce.seconds, 'one after the other over all at once');
  ratio(loop.seconds / atOnce.seconds, 'the loop by hand over all at once');
  ratio(growth, `CPU per GB with ${count} hosts over that with one, at most ${MOST_GROWTH}`);
  say();
  return growth <= MOST_GROWTH;
}

async function simulated(): Promise<boolean> {
  await using lab = await startLabServer('bench-many');
  await lab.exec(LESS_TO_LIST);
  await using servers = await startRecordedServers(lab);
  const folder = join(work, 'many');
  await mkdir(folder);
  const fleet = await writeFleet(folder, servers, lab.identity, hosts);
  const { seconds, cpu, memory } = await migrate([...fleet, '--concurrency', String(concurrency), '--json']);
  const { answered, asked } = servers.counts();
  say(`${hosts} simulated hosts, ${concurrency} at a time: ${answered} commands answered, ${asked} by a real server`);
  say(`${seconds.toFixed(0)} s, ${(seconds / hosts).toFixed(2)} s a host, ${(cpu / hosts).toFixed(2)} CPU s of p2c's`);
  say(`peak memory ${memory.toFixed(0)} MB, of ${MOST_MEMORY} MB allowed`);
  return memory <= MOST_MEMORY;
}

const real = count === 0 || (await realServers());
const many = hosts === 0 || (await simulated());
process.exitCode = real && many ? 0 : 1;
