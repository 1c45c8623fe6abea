/** An Ansible inventory's hosts, as p2c goes to them. */

import { statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { dirname, resolve } from 'node:path';
import { P2cError, usageError } from '../../errors.ts';
import { suggestion } from '../../profiles/nearest.ts';
import { BECOME_METHODS, type BecomeMethod } from '../../ssh/become.ts';
import { addressSchema, portSchema, userSchema } from '../fields.ts';
import { type FleetHost, type HostConnection, type Inventory, type Setting, UNGROUPED } from '../host.ts';
import { captureOf, localPath } from '../settings.ts';
import { HostVariables } from './host-variables.ts';
import { type AnsibleInventory, loadAnsible } from './load.ts';
import { parseSshArguments, type SshArguments } from './ssh-arguments.ts';
import { ALL, type Tree } from './tree.ts';
import type { Vault } from './vault.ts';

/** @param today fills `{{date}}` in tags. @throws P2cError `inventory.*` for what is wrong with more than one host. */
export async function ansibleInventory(path: string, vault: Vault, today: Date): Promise<Inventory> {
  const loaded = await loadAnsible(path, vault);
  const { tree } = loaded;
  const folder = statSync(path).isDirectory() ? resolve(path) : dirname(resolve(path));
  const notes = new Set<string>();
  const hosts: (FleetHost & { readonly order: number })[] = [];
  for (const name of tree.hosts.keys()) {
    try {
      hosts.push(await hostOf(name, loaded, { file: path, folder, today, vault, notes }));
    } catch (error) {
      if (!(error instanceof P2cError) || !OF_ONE_HOST.has(error.code)) throw error;
      hosts.push({ ...unusable(name, tree.groupsOf(name), error), order: 0 });
    }
  }
  hosts.sort((a, b) => a.order - b.order);
  const groups = [...tree.groups.values()]
    .filter(({ name }) => name !== ALL && name !== UNGROUPED)
    .map(({ name, hosts: own, children }) => ({
      name,
      hosts: tree.hostsOf(name),
      own: [...own],
      children: [...children],
    }));
  return { file: path, kind: 'ansible', hosts, groups, tops: [...tree.group(ALL).children], notes: [...notes] };
}

/** Mistakes that are in the way of nobody who does not choose the host. A vault that does not open is one for all hosts. */
const OF_ONE_HOST = new Set(['inventory.invalid', 'inventory.template', 'inventory.unknown-host']);

function unusable(name: string, groups: readonly string[], mistake: P2cError): FleetHost {
  const target = { user: userInfo().username, host: name, port: 22, name };
  const nothing = { profiles: [], tag: undefined, exclude: [], include: [], volumes: [], labels: {}, after: [] };
  return { name, mistake, groups, target, connection: {}, ...nothing };
}

interface Surroundings {
  /** As it was named. */
  readonly file: string;
  readonly folder: string;
  readonly today: Date;
  readonly vault: Vault;
  readonly notes: Set<string>;
}

/** What the arguments of ssh say of the way to a host. */
type Way = Pick<SshArguments, 'jump' | 'identity'>;

async function hostOf(
  name: string,
  { tree, files }: AnsibleInventory,
  { file, folder, today, vault, notes }: Surroundings,
): Promise<FleetHost & { readonly order: number }> {
  const groups = tree.groupsOf(name);
  const sourceOf = (variable: string): string => {
    const source = tree.sourceOf(name, variable, files);
    return source === undefined ? file : `${file}, ${source}`;
  };
  const variables = new HostVariables(name, tree.variablesOf(name, files), groups, vault, sourceOf);
  const reached = await variables.text('ansible_connection');
  if (reached !== undefined && !['ssh', 'smart', 'paramiko', 'paramiko_ssh', 'ansible.builtin.ssh'].includes(reached)) {
    throw variables.wrong(
      'ansible_connection',
      `is '${reached}', and p2c reaches servers by ssh: take it out of the hosts`,
    );
  }
  const args = await sshArguments(variables, notes);
  // As in p2c's own file, `none` is nothing that hosts could share.
  const shared = args.jump?.toLowerCase() === 'none' ? undefined : args.jump;
  const user = await variables.text('ansible_user', 'ansible_ssh_user');
  if (user !== undefined && !userSchema.safeParse(user).success)
    throw variables.wrong('ansible_user', `is no user: '${user}'`);
  const host = (await variables.text('ansible_host', 'ansible_ssh_host')) ?? name;
  if (!addressSchema.safeParse(host).success) throw variables.wrong('ansible_host', `is no address: '${host}'`);
  const port = await variables.number('ansible_port', 'ansible_ssh_port');
  if (port !== undefined && !portSchema.safeParse(port).success) {
    throw variables.wrong('ansible_port', `is no port from 1 to 65535: ${port}`);
  }
  const settings = await variables.settings();
  return {
    name,
    groups,
    target: {
      user: user ?? userInfo().username,
      host,
      port: port ?? 22,
      name,
      assumed: [...(user === undefined ? ['user' as const] : []), ...(port === undefined ? ['port' as const] : [])],
    },
    connection: await connectionOf(variables, args, folder),
    jump: shared,
    after: afterOf(settings.after ?? [], tree, name, sourceOf('p2c_after')),
    place: (setting) => sourceOf(variableOf(setting, tree.sourceOf(name, 'p2c_profiles', files) !== undefined)),
    order: settings.order ?? 0,
    ...captureOf(name, settings, folder, today),
  };
}

/** @param many whether the host has `p2c_profiles`, and not `p2c_profile`. */
function variableOf(setting: Setting, many: boolean): string {
  if (setting === 'identity') return 'ansible_ssh_private_key_file';
  return setting === 'profiles' && !many ? 'p2c_profile' : `p2c_${setting}`;
}

/** In the order in which Ansible hands them to ssh, for which the first that says a way is the one. */
const ARGUMENTS = ['ansible_ssh_args', 'ansible_ssh_common_args', 'ansible_ssh_extra_args'] as const;

async function sshArguments(variables: HostVariables, notes: Set<string>): Promise<Way> {
  let jump: string | undefined;
  const identity: string[] = [];
  for (const name of ARGUMENTS) {
    const parsed = parseSshArguments((await variables.text(name)) ?? '');
    if (parsed === undefined) throw variables.wrong(name, 'has a quote that is not closed');
    if (parsed.command && jump === undefined) {
      throw variables.wrong(
        name,
        'has a ProxyCommand, and p2c runs no program of an inventory: write the jump host as -o ProxyJump=USER@HOST, or the ProxyCommand into ssh_config',
      );
    }
    jump ??= parsed.jump;
    identity.push(...parsed.identity);
    for (const option of parsed.ignored) notes.add(`${option} of ${name} is left aside`);
  }
  return { jump, identity };
}

async function connectionOf(
  variables: HostVariables,
  { jump, identity }: Way,
  folder: string,
): Promise<HostConnection> {
  const key = await variables.text('ansible_private_key_file', 'ansible_ssh_private_key_file');
  const keys = [...(key === undefined ? [] : [key]), ...identity].map((path) => localPath(path, folder));
  const password = variables.secret('ansible_password', 'ansible_ssh_pass', 'ansible_ssh_password');
  const becomes = await variables.truth('ansible_become');
  const become = becomes ? await methodOf(variables) : undefined;
  const method = await methodWord(variables);
  const becomePassword = variables.secret('ansible_become_password', 'ansible_become_pass', `ansible_${method}_pass`);
  return {
    ...(keys.length === 0 ? {} : { identity: keys }),
    ...(jump === undefined ? {} : { jump }),
    ...(password === undefined ? {} : { password }),
    ...(become === undefined ? {} : { become }),
    // Becoming root may be asked for by --become, too.
    ...(becomePassword === undefined ? {} : { becomePassword }),
  };
}

/** `sudo`, also where it is said as `community.general.sudo`. */
async function methodWord(variables: HostVariables): Promise<string> {
  return ((await variables.text('ansible_become_method')) ?? 'sudo').replace(/^.*\./, '');
}

async function methodOf(variables: HostVariables): Promise<BecomeMethod> {
  const word = await methodWord(variables);
  const user = await variables.text('ansible_become_user', `ansible_${word}_user`);
  if (user !== undefined && user !== 'root') {
    throw variables.wrong('ansible_become_user', `is '${user}', and p2c has to become root to read every file`);
  }
  const method = BECOME_METHODS.find((known) => known === word);
  if (method !== undefined) return method;
  throw variables.wrong('ansible_become_method', `is '${word}', and p2c knows ${BECOME_METHODS.join(', ')}`);
}

function afterOf(words: readonly string[], tree: Tree, self: string, source: string): string[] {
  const names = words.flatMap((word) => {
    if (tree.hosts.has(word)) return [word];
    if (tree.groups.has(word)) return tree.hostsOf(word);
    const known = suggestion(word, [...tree.hosts.keys(), ...tree.groups.keys()]);
    throw usageError(`${source}: '${self}' comes after '${word}', and there is no host or group of that name${known}`, {
      code: 'inventory.unknown-host',
    });
  });
  return [...new Set(names)].filter((name) => name !== self);
}
