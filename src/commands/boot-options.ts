/** `--boot` of `p2c migrate`, and what of `p2c run`'s options goes with it. */
import yargs, { type Argv } from 'yargs';
import { P2cError, usageError } from '../errors.ts';
import type { Reference } from '../oci/reference.ts';
import type { BootRequest } from '../pipeline/request.ts';
import { findContainer } from '../runtime/containers.ts';
import { requireRoot } from '../runtime/create.ts';
import { refuseTakenName } from '../runtime/names.ts';
import { networkRequest } from '../runtime/network/resolve.ts';
import { createOptions, withContainerOptions } from './run-options/all.ts';

export interface BootArguments {
  boot: boolean;
  name: string | undefined;
  network: string[] | undefined;
  quarantine: boolean;
}

export function withBootOptions<Declared>(parser: Argv<Declared>): Argv<Declared & BootArguments> {
  return parser
    .option('boot', {
      type: 'boolean',
      default: false,
      describe: 'unpack the layers while they arrive, boot the image, and look whether all is well in it',
    })
    .option('name', { type: 'string', requiresArg: true, describe: "with --boot: the container's name [from the tag]" })
    .option('network', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'with --boot: as run takes it; in quarantine an isolated one',
    })
    .option('quarantine', {
      type: 'boolean',
      default: true,
      describe: 'with --boot: as run --quarantine, until p2c release (--no-quarantine: let the clone out at once)',
    });
}

/** @throws P2cError `usage` where the options do not go together. */
export function bootRequest(given: BootArguments, reference: Reference): BootRequest | undefined {
  const { boot, name, network, quarantine } = given;
  if (!boot) {
    const without = name !== undefined ? '--name' : network !== undefined ? '--network' : '--no-quarantine';
    if (name === undefined && network === undefined && quarantine) return undefined;
    throw usageError(`${without} is for --boot`, { code: 'usage', hint: 'add --boot, or leave it out' });
  }
  const chosen = name ?? nameFrom(reference);
  const words = [
    ...['--name', chosen],
    ...(network ?? []).flatMap((each) => ['--network', each]),
    ...(quarantine ? ['--quarantine'] : []),
  ];
  // All else is as run has it where it is not said.
  const options = createOptions(withContainerOptions(yargs(words).exitProcess(false)).parseSync(), []);
  return { options: { ...options, name: chosen } };
}

/** `legacy/web01:2026-11-25` becomes `legacy-web01-2026-11-25`. */
function nameFrom({ repository, tag }: Reference): string {
  const name = tag === 'latest' ? repository : `${repository}-${tag}`;
  return name.replaceAll(/[^A-Za-z0-9_.-]/g, '-').slice(0, 128);
}

/**
 * What would spoil the boot and is known before anything is done.
 * @param earlier ID of the container that an earlier process of the run made: its name is free again.
 * @throws P2cError (usage).
 */
export async function requireBootable(root: string, boot: BootRequest | undefined, earlier?: string): Promise<void> {
  if (boot === undefined) return;
  const { name, network } = boot.options;
  requireRoot('--boot needs root', 'without, migrate and then p2c run the image; or sudo p2c migrate …');
  const holder = earlier === undefined ? undefined : await findContainer(root, name).catch(() => undefined);
  if (holder === undefined || holder.definition.id !== earlier) await refuseTakenName(root, name);
  await networkRequest(root, network, {}).catch((error: unknown) => {
    if (!(error instanceof P2cError) || error.code !== 'network.options' || !network.quarantine) throw error;
    throw usageError(error.message, {
      code: error.code,
      hint: 'a clone is booted in quarantine: --no-quarantine lets it out at once',
    });
  });
}

/** @throws P2cError `usage` where two hosts' containers would have the same name. */
export function requireDistinctNames(boots: ReadonlyMap<string, BootRequest | undefined>): void {
  const known = new Map<string, string>();
  for (const [host, boot] of boots) {
    if (boot === undefined) continue;
    const { name } = boot.options;
    const other = known.get(name);
    if (other !== undefined) {
      throw usageError(`the containers of '${other}' and '${host}' would have the same name, ${name}`, {
        code: 'inventory.tag',
        hint: "put the host's name into the tag: 'legacy/{{host}}:{{date}}'",
      });
    }
    known.set(name, host);
  }
}
