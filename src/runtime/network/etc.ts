/** The files that a container's /etc has from p2c. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ETC_FILES } from '../bundle/mounts.ts';
import { firstHosts } from './hosts.ts';
import { findNetwork } from './networks.ts';
import type { NetworkRequest } from './request.ts';
import { resolverText } from './resolver.ts';

export async function writeEtc(root: string, folder: string, hostname: string, request: NetworkRequest): Promise<void> {
  const contents: Record<(typeof ETC_FILES)[number], string> = {
    hosts: await firstHosts(request, hostname),
    hostname: `${hostname}\n`,
    'resolv.conf': await resolverText(request, await leadsOut(root, request)),
  };
  for (const name of ETC_FILES) {
    await rm(join(folder, name), { force: true });
    await writeFile(join(folder, name), contents[name], { mode: 0o644 });
  }
}

/** Whether the machine's name servers can be reached from there. */
async function leadsOut(root: string, { mode, networks }: NetworkRequest): Promise<boolean> {
  if (mode !== 'networks') return mode !== 'none';
  for (const name of networks) {
    const { p2c } = await findNetwork(root, name);
    if (p2c?.isolated !== true && p2c?.internal !== true) return true;
  }
  return false;
}
