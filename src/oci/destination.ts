/**
 * Where an image may be copied to, in the words of containers-transports(5). Where a name may follow and none is given,
 * the image has its own there.
 */
import { usageError } from '../errors.ts';
import type { OtherLayout } from './copy-image.ts';
import { parseReference, type Reference } from './reference.ts';

export interface Destination {
  /** As skopeo is told it. */
  readonly address: string;
  /** The file that is made; undefined where it is none. */
  readonly file: string | undefined;
  /** Another layout, into which p2c itself copies; undefined where it is none. */
  readonly layout: OtherLayout | undefined;
}

/** The name that an image has in the store: one that another tool gave need be none in docker's grammar. */
export type OwnName = string;

const HINT =
  "write docker://REGISTRY/NAME:TAG, oci-archive:FILE, docker-archive:FILE, oci:FOLDER, 'podman' or 'docker', or another of skopeo's transports";
/** Without a registry, podman looks for a name here. */
const OWN_REGISTRY = 'localhost/';

/** @throws P2cError `usage`, `reference.invalid` where the image's own name is none there. */
export function parseDestination(text: string, own: OwnName): Destination {
  if (text === 'podman') {
    const name = podmanName(nameThere(own, 'containers-storage:localhost/NAME:TAG'));
    return other(`containers-storage:${name}`);
  }
  if (text === 'docker') {
    return other(`docker-daemon:${nameThere(own, 'docker-daemon:NAME:TAG').name}`);
  }
  const [, transport = '', rest = ''] = /^([a-z][a-z-]*):(.*)$/s.exec(text) ?? [];
  if (rest === '') throw usageError(`'${text}' is no place for an image`, { code: 'usage', hint: HINT });
  if (transport === 'oci-archive' || transport === 'docker-archive') {
    const [, file = '', name] = /^([^:]+)(?::(.+))?$/s.exec(rest) ?? [];
    if (file === '') throw usageError(`'${text}' names no file`, { code: 'usage', hint: HINT });
    const asked = `docker-archive:${file}:NAME:TAG`;
    const there = name ?? (transport === 'oci-archive' ? own : nameThere(own, asked).name);
    return { ...other(`${transport}:${file}:${there}`), file };
  }
  if (transport === 'oci') {
    const [, folder = '', name = own] = /^([^:]+)(?::(.+))?$/s.exec(rest) ?? [];
    if (folder === '') throw usageError(`'${text}' names no folder`, { code: 'usage', hint: HINT });
    return { ...other(`oci:${folder}:${name}`), layout: { folder, name } };
  }
  return other(text);
}

/** @param name as podman push takes it, with or without `docker://`; default: the image's own. @throws P2cError `usage`. */
export function registryDestination(name: string | undefined, own: OwnName): Destination {
  const given = (name ?? own).replace(/^docker:\/\//, '');
  const { repository, name: whole } = parseReference(given);
  const [registry = '', ...path] = repository.split('/');
  if (path.length === 0 || !/[.:[]/.test(registry)) {
    throw usageError(`'${given}' names no registry`, {
      code: 'usage',
      hint: `write REGISTRY/NAME:TAG, as in 'registry.example/old:latest'; other places than registries are for 'p2c export'`,
    });
  }
  return other(`docker://${whole}`);
}

function other(address: string): Destination {
  return { address, file: undefined, layout: undefined };
}

/** @param instead a destination with a name in it. */
function nameThere(own: OwnName, instead: string): Reference {
  try {
    return parseReference(own);
  } catch (error) {
    throw usageError(`the image is called '${own}', and cannot be called so there`, {
      code: 'reference.invalid',
      hint: `name it anew, with '${instead}' as the destination`,
      cause: error,
    });
  }
}

function podmanName({ name, repository }: Reference): string {
  return repository.includes('/') ? name : `${OWN_REGISTRY}${name}`;
}
