/** A filesystem in memory within a container, `--tmpfs DST[:OPTIONS]`. */
import { isAbsolute, normalize } from 'node:path';
import { usageError } from '../errors.ts';
import { isReserved } from './volume.ts';

export interface Tmpfs {
  /** Clean and absolute, as written: links in it are resolved against the image later. */
  readonly destination: string;
  /** Options of mount(8), and `tmpcopyup` where it begins with what the image has in its place. */
  readonly options: readonly string[];
}

const FLAGS: readonly string[] = ['ro', 'rw', 'nosuid', 'suid', 'nodev', 'dev', 'noexec', 'exec', 'noatime'];
/** What podman takes beside them; nothing is shared with this machine in any case. */
const OTHERS: readonly string[] = ['tmpcopyup', 'notmpcopyup', 'rprivate', 'private'];
const VALUE =
  /^(?:size=[0-9]{1,15}[kmgKMG%]?|mode=[0-7]{3,4}|nr_inodes=[0-9]{1,12}[kmgKMG]?|uid=[0-9]{1,10}|gid=[0-9]{1,10})$/;

/** @throws P2cError `runtime.tmpfs` (usage). */
export function parseTmpfs(text: string): Tmpfs {
  const [path = '', given, ...more] = text.split(':');
  const destination = normalize(path).replace(/(.)\/$/, '$1');
  if (more.length > 0 || !isAbsolute(path) || path.includes('\0')) {
    throw refused(text, 'it is not of the form DST[:OPTIONS] with an absolute path');
  }
  if (destination === '/' || isReserved(destination)) throw refused(text, `it cannot lie on '${destination}'`);
  const words = given === undefined || given === '' ? [] : given.split(',');
  const unknown = words.find((word) => ![...FLAGS, ...OTHERS].includes(word) && !VALUE.test(word));
  if (unknown !== undefined) throw refused(text, `'${unknown}' is no option of a tmpfs`);
  // As podman: nothing on it runs with another's rights or is a device, unless that is asked for.
  const kept = ['nosuid', 'nodev'].filter((word) => !words.includes(word.replace(/^no/, '')));
  const own = words.filter((word) => !OTHERS.includes(word));
  const copied = words.includes('notmpcopyup') ? [] : ['tmpcopyup'];
  return { destination, options: [...new Set([...kept, ...own, ...copied])] };
}

function refused(text: string, why: string) {
  return usageError(`--tmpfs '${text}': ${why}`, {
    code: 'runtime.tmpfs',
    hint: `--tmpfs /run:size=64m,mode=755; flags are ${FLAGS.join(', ')}, notmpcopyup (empty)`,
  });
}
