/**
 * Whether an OCI runtime works on this machine, found out by having it run a container: what it says of itself is no proof
 * (one that was built for another arrangement of cgroups starts nothing).
 */

import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { bundleResources } from '../bundle/resources.ts';
import { cgroupsPath } from '../cgroup/container-cgroup.ts';
import type { Engine } from '../engine.ts';
import { makeTemporary } from '../owned-name.ts';
import { type Bundle, specText } from '../spec.ts';
import { TOOLS, toolCommand, toolFiles } from './toolbox.ts';

/** What the container of the probe answers: no runtime's own exit code. */
const ANSWER = 42;

/** @returns why it does not work; undefined where it does. */
export async function probeRuntime(engine: Engine): Promise<string | undefined> {
  const folder = await makeTemporary('probe');
  const place = { id: randomBytes(32).toString('hex'), folder, layers: [], privileged: false };
  try {
    const layer = join(folder, 'layer');
    for (const name of ['upper', 'work', 'root', 'layer/tools']) await mkdir(join(folder, name), { recursive: true });
    for (const { source, name } of await toolFiles(TOOLS.plain)) await copyFile(source, join(layer, 'tools', name));
    const bundle = probeBundle(place.id);
    await writeFile(join(folder, 'config.json'), specText(bundle));
    const layers = [{ folder: layer, opaque: new Set<string>() }];
    const { ready, ended, output, errors } = await engine.start({ ...place, layers }, bundle, QUIET);
    output?.resume();
    errors?.resume();
    const [code] = await Promise.all([ended, ready]);
    return code === ANSWER ? undefined : `a container of it ended with ${code}`;
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    return messageOf(cause);
  } finally {
    await engine.cleanUp(place).catch(() => {});
    await rm(folder, { recursive: true, force: true });
  }
}

const QUIET = { input: 'none', output: 'pipe' } as const;

function probeBundle(id: string): Bundle {
  const options = { privileged: false, devices: [], capAdd: [], capDrop: [], readOnly: false, personality: [] };
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { uid: 0, gid: 0, additionalGids: [] },
      args: toolCommand('sh', '-c', `exit ${ANSWER}`),
      env: ['PATH=/tools'],
      cwd: '/',
      capabilities: { bounding: [], effective: [], permitted: [] },
      rlimits: [],
      noNewPrivileges: true,
    },
    root: { path: 'root', readonly: false },
    hostname: 'probe',
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc', options: [] },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['mode=755'] },
      { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['ro'] },
    ],
    annotations: {},
    linux: {
      namespaces: (['pid', 'mount', 'uts', 'ipc', 'network', 'cgroup'] as const).map((type) => ({ type })),
      devices: [],
      cgroupsPath: cgroupsPath(id),
      resources: bundleResources({ ...options, shmSize: 1, ulimits: [] }),
      rootfsPropagation: 'rprivate',
      maskedPaths: [],
      readonlyPaths: [],
    },
  };
}
