/** Network namespaces that are there before a process is in them, and after: each is a file to enter by. */
import { execFile } from 'node:child_process';
import { statfsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { promisify } from 'node:util';
import { P2cError, systemCode } from '../../errors.ts';
import { makeFolder } from '../../oci/files.ts';
import { findProgram } from '../host-program.ts';
import { HOST_ENVIRONMENT } from '../isolation.ts';
import { callPlugin } from './plugin.ts';

const run = promisify(execFile);

/** NSFS_MAGIC, linux/magic.h: the filesystem that a namespace's file is of. */
const NSFS = 0x6e736673;

/** Makes one with its loopback up. @throws P2cError `network.*`. */
export async function makeNamespace(path: string): Promise<void> {
  await makeFolder(dirname(path), 0o700);
  await writeFile(path, '', { flag: 'wx', mode: 0o400 });
  try {
    await run(findProgram('unshare'), [`--net=${path}`, 'true'], { env: HOST_ENVIRONMENT });
    await callPlugin({
      type: 'loopback',
      command: 'ADD',
      containerId: basename(path),
      namespace: path,
      interfaceName: 'lo',
      arguments: '',
      configuration: { cniVersion: '1.0.0', name: 'lo', type: 'loopback' },
    });
  } catch (cause) {
    await removeNamespace(path);
    if (cause instanceof P2cError) throw cause;
    throw new P2cError('a network namespace could not be made', { code: 'network.namespace', cause });
  }
}

/** False for a file that lost its namespace: to a reboot, or because another mount namespace has it. */
export function isNamespace(path: string): boolean {
  try {
    return statfsSync(path).type === NSFS;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}

/** The namespace itself goes with the last process in it. */
export async function removeNamespace(path: string): Promise<void> {
  while (isNamespace(path)) {
    await run(findProgram('umount'), ['-n', path], { env: HOST_ENVIRONMENT }).catch((cause: unknown) => {
      throw new P2cError(`${path} could not be unmounted`, { code: 'network.namespace', cause });
    });
  }
  await rm(path, { force: true });
}
