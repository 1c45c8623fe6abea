/**
 * Where an image may be copied to, in the words of containers-transports(5). Where a name may follow and none is given,
 * the image has its own there.
 */
import { usageError } from '../errors.ts';
import { parseReference, type Reference } from './reference.ts';

export interface Destination {
  /** What skopeo is told. */
  readonly address: string;
  /** The file that is made; undefined where it is none. */
  readonly file: string | undefined;
}

const HINT =
  "write docker://REGISTRY/NAME:TAG, oci-archive:FILE, docker-archive:FILE, oci:FOLDER, 'podman' or 'docker', or another of skopeo's transports";
/** Without a registry, podman looks for a name here. */
const OWN_REGISTRY = 'localhost/';

/** @param own the name that the image has in the store. @throws P2cError `usage`. */
export function parseDestination(text: string, own: Reference): Destination {
  if (text === 'podman') return { address: `containers-storage:${podmanName(own)}`, file: undefined };
  if (text === 'docker') return { address: `docker-daemon:${own.name}`, file: undefined };
  const [, transport = '', rest = ''] = /^([a-z][a-z-]*):(.*)$/s.exec(text) ?? [];
  if (rest === '') throw usageError(`'${text}' is no place for an image`, { code: 'usage', hint: HINT });
  if (transport === 'oci-archive' || transport === 'docker-archive') {
    const [, file = '', name] = /^([^:]+)(?::(.+))?$/s.exec(rest) ?? [];
    if (file === '') throw usageError(`'${text}' names no file`, { code: 'usage', hint: HINT });
    return { address: `${transport}:${file}:${name ?? own.name}`, file };
  }
  if (transport === 'oci' && !rest.includes(':')) return { address: `oci:${rest}:${own.name}`, file: undefined };
  return { address: text, file: undefined };
}

/** @param name as podman push takes it, with or without `docker://`; default: the image's own. @throws P2cError `usage`. */
export function registryDestination(name: string | undefined, own: Reference): Destination {
  const given = (name ?? own.name).replace(/^docker:\/\//, '');
  const { repository, name: whole } = parseReference(given);
  const [registry = '', ...path] = repository.split('/');
  if (path.length === 0 || !/[.:[]/.test(registry)) {
    throw usageError(`'${given}' names no registry`, {
      code: 'usage',
      hint: `write REGISTRY/NAME:TAG, as in 'registry.example/${own.name}'; other places than registries are for 'p2c export'`,
    });
  }
  return { address: `docker://${whole}`, file: undefined };
}

function podmanName({ name, repository }: Reference): string {
  return repository.includes('/') ? name : `${OWN_REGISTRY}${name}`;
}
