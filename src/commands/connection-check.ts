/**
 * What the options of a connection say and the files that they name, looked at before any server is gone to: a batch
 * would find what is wrong with them once for each of its hosts.
 */
import { access, constants, stat } from 'node:fs/promises';
import { messageOf, systemCode, usageError } from '../errors.ts';
import type { FleetHost } from '../fleet/host.ts';
import { loadIdentities } from '../ssh/identity.ts';
import { type ConnectionOptions, connectOptions } from './connection-options.ts';
import { hostConnectOptions } from './host-connection.ts';
import { HostMistakes } from './host-mistakes.ts';

/** @throws P2cError (exit code 2) for an option that is wrong, and for a file that cannot be used. */
export async function requireConnection(options: Partial<ConnectionOptions>): Promise<void> {
  const { identities = [], sshConfig, knownHostsFiles = [] } = connectOptions(options);
  await loadIdentities(identities);
  if (sshConfig?.file !== undefined) await requireConfig(sshConfig.file);
  // A key that is remembered makes the file, and one that is pinned is looked up in none.
  const mayLack = options['accept-new-host-key'] === true || options['host-key-fingerprint'] !== undefined;
  for (const file of knownHostsFiles) await requireKnownHosts(file, mayLack);
}

/** The same for a batch: the options once, and then what its inventory says of each host. */
export async function requireHostConnections(
  hosts: readonly FleetHost[],
  options: Partial<ConnectionOptions>,
): Promise<void> {
  await requireConnection(options);
  const mistakes = new HostMistakes();
  const identities = new Map<string, Promise<unknown>>();
  for (const host of hosts) {
    await mistakes.of(host, 'identity', async () => {
      hostConnectOptions(host, options);
      for (const file of host.connection.identity ?? []) {
        const loading = identities.get(file) ?? loadIdentities([file]);
        identities.set(file, loading);
        await loading;
      }
    });
  }
  mistakes.throwAny();
}

/** ssh itself would say this of each host. */
async function requireConfig(file: string): Promise<void> {
  const problem = await problemOf(file);
  if (problem === undefined) return;
  throw usageError(`the ssh_config ${file} cannot be read: ${problem}`, {
    code: 'ssh.config',
    hint: "name a file that you may read with -F, or '-F none' for no configuration",
  });
}

/** ssh takes a file that is not there for one that knows no server: then every host would be refused, one by one. */
async function requireKnownHosts(file: string, mayLack: boolean): Promise<void> {
  const problem = await problemOf(file);
  if (problem === undefined || (problem === MISSING && mayLack)) return;
  throw usageError(`the known hosts file ${file} cannot be read: ${problem}`, {
    code: 'ssh.known-hosts',
    hint:
      problem === MISSING
        ? 'name the file that knows the servers; --accept-new-host-key makes one, of the keys that they show'
        : 'make it readable, or name another with --known-hosts FILE',
  });
}

const MISSING = 'there is no such file';

async function problemOf(file: string): Promise<string | undefined> {
  try {
    if ((await stat(file)).isDirectory()) return 'it is a folder';
    await access(file, constants.R_OK);
    return undefined;
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? MISSING : messageOf(error);
  }
}
