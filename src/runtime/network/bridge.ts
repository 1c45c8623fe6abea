/**
 * The bridges of p2c's own networks. The plugin `bridge` makes one with the first container and leaves it for ever; p2c
 * notes which were not there before, and takes those away with the last.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { P2cError, systemCode } from '../../errors.ts';
import { makeFolder } from '../../oci/files.ts';
import { findProgram } from '../host-program.ts';
import { HOST_ENVIRONMENT } from '../isolation.ts';
import type { RunFolder } from './run-folder.ts';

const run = promisify(execFile);

const INTERFACES = '/sys/class/net';

export function interfaceExists(name: string): boolean {
  return existsSync(join(INTERFACES, name));
}

export function isBridge(name: string): boolean {
  return existsSync(join(INTERFACES, name, 'bridge'));
}

/** The interfaces that are on a bridge; none where there is no such bridge. */
export function bridgeMembers(name: string): string[] {
  return isBridge(name) ? readdirSync(join(INTERFACES, name, 'brif')) : [];
}

/**
 * Before the first container: the bridge is about to be made.
 * @throws P2cError `network.interface` where an interface of that name has appeared that p2c did not make.
 */
export async function claimBridge({ bridges }: RunFolder, name: string, network: string): Promise<void> {
  const claim = join(bridges, name);
  if (existsSync(claim)) return;
  if (interfaceExists(name)) {
    throw new P2cError(
      `the network '${network}' makes the bridge ${name}, and an interface of that name is there already`,
      {
        code: 'network.interface',
        hint: `see whose it is: ip -d link show ${name}; a network made anew with --interface-name ${name} uses the bridge as it is`,
      },
    );
  }
  await makeFolder(bridges, 0o700);
  await writeFile(claim, `${network}\n`, { mode: 0o600 });
}

/** After a container left: the bridge goes too where it is p2c's and no interface is on it. */
export async function removeIdleBridge({ bridges }: RunFolder, name: string): Promise<void> {
  const claim = join(bridges, name);
  if (!existsSync(claim)) return;
  if (isBridge(name)) {
    if (bridgeMembers(name).length > 0) return;
    await run(findProgram('ip', 'iproute2'), ['link', 'delete', name, 'type', 'bridge'], {
      env: HOST_ENVIRONMENT,
    }).catch((cause: unknown) => {
      if (!interfaceExists(name)) return;
      throw new P2cError(`the bridge ${name} could not be removed`, { code: 'network.interface', cause });
    });
  }
  await rm(claim, { force: true });
}

/** Nothing that comes from the bridge is handed on by this machine (ip-sysctl.rst, conf/interface/forwarding). */
export async function closeBridge(name: string): Promise<void> {
  for (const [setting, value] of [
    [`/proc/sys/net/ipv4/conf/${name}/forwarding`, '0'],
    [`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, '1'],
  ] as const) {
    await writeFile(setting, value, { flag: 'r+' }).catch((error: unknown) => {
      // A kernel without IPv6 has no such file.
      if (systemCode(error) !== 'ENOENT') throw error;
    });
  }
}
