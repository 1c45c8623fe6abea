/**
 * The OCI runtimes of this machine, each tried with a real container: a runtime may be installed and refuse the way
 * this machine's cgroups are mounted.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { HOST_ENVIRONMENT } from '../isolation.ts';
import { type Ability, unable } from './ability.ts';
import { lastWords } from './kernel-abilities.ts';
import { pathOf } from './programs.ts';

const run = promisify(execFile);
const LIMIT_MS = 30_000;
const NAMES = ['runc', 'crun'] as const;

export interface OciRuntime {
  readonly name: (typeof NAMES)[number];
  /** Null where it is not installed. */
  readonly path: string | null;
  /** The first line of its `--version`. */
  readonly version: string | null;
  readonly works: Ability;
}

export function probeOciRuntimes(root: boolean): Promise<OciRuntime[]> {
  return Promise.all(NAMES.map((name) => probe(name, root)));
}

async function probe(name: OciRuntime['name'], root: boolean): Promise<OciRuntime> {
  const path = pathOf(name);
  if (path === null) return { name, path, version: null, works: unable('not installed') };
  const version = await run(path, ['--version'], { env: HOST_ENVIRONMENT, timeout: LIMIT_MS }).then(
    ({ stdout }) => stdout.split('\n')[0] ?? '',
    () => null,
  );
  if (!root) return { name, path, version, works: { able: 'unknown', reason: 'not tried: p2c does not run as root' } };
  return { name, path, version, works: await tryContainer(path) };
}

async function tryContainer(path: string): Promise<Ability> {
  const folder = await mkdtemp(join(tmpdir(), 'p2c-probe-'));
  const id = `p2c-probe-${randomUUID()}`;
  const state = join(folder, 'state');
  try {
    await mkdir(join(folder, 'rootfs'));
    await writeFile(join(folder, 'config.json'), JSON.stringify(bundle()));
    await run(path, ['--root', state, 'run', '--bundle', folder, id], { env: HOST_ENVIRONMENT, timeout: LIMIT_MS });
    return { able: true };
  } catch (error) {
    return unable(lastWords(error));
  } finally {
    await run(path, ['--root', state, 'delete', '--force', id], { env: HOST_ENVIRONMENT }).catch(() => {});
    await rm(folder, { recursive: true, force: true });
  }
}

/** A container of this machine's own programs, read-only, that ends at once (OCI runtime-spec, config.md). */
function bundle(): object {
  const folders = ['usr', 'bin', 'lib', 'lib64'];
  return {
    ociVersion: '1.0.2',
    root: { path: 'rootfs' },
    process: { cwd: '/', args: ['/bin/sh', '-c', 'exit 0'], env: ['PATH=/usr/bin:/bin'], user: { uid: 0, gid: 0 } },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      ...folders.map((name) => ({
        destination: `/${name}`,
        type: 'bind',
        source: `/${name}`,
        options: ['rbind', 'ro'],
      })),
    ],
    linux: { namespaces: ['pid', 'mount', 'ipc', 'uts', 'network'].map((type) => ({ type })) },
  };
}
