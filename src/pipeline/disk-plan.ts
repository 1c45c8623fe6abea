/**
 * What the hosts of a batch may bring into the store, asked of each before the first is begun: on Friday one can still
 * find a larger disk. A bound, and no promise: each host's own plan asks for its room before anything of it is stopped.
 */
import { Queue, type QueuedHost, type QueueLimits } from '../fleet/queue.ts';
import { formatBytes, formatCount } from '../report/units.ts';
import { readFilesystems } from '../source/facts.ts';
import { usedSpace } from '../source/used-space.ts';
import { connectPrivileged } from './open-source.ts';
import { passwordRefused } from './password-refused.ts';
import type { SurveyRequest } from './request.ts';
import type { Tell } from './stage.ts';

/** They only say a number each, but each is a login at the host and its jump hosts. */
const ASKED_AT_ONCE = 8;

export interface HostEstimate {
  readonly host: string;
  /** Null where it could not be asked. */
  readonly bytes: number | null;
}

export interface DiskPlan {
  readonly hosts: readonly HostEstimate[];
  /** Bytes in the store beside the reserve. */
  readonly free: number;
}

/**
 * How much a host holds at most. Nobody is asked for a password, and nothing is tried again: what is wrong with the host is
 * told when its turn comes.
 * @param onNotice told what the user should know of the way there: a key that is taken here is no new one any more.
 * @throws PasswordRefused where the host's turn is not to bring the password that was given.
 */
export async function hostEstimate(
  { target, connect }: Pick<SurveyRequest, 'target' | 'connect'>,
  onNotice: Tell,
): Promise<number> {
  const quiet = { ...connect, prompt: undefined, retries: 0, onNotice: (line: string) => onNotice(line) };
  await using session = await connectPrivileged({ target, connect: quiet }, () => {}).catch((error: unknown) => {
    throw passwordRefused(error, connect) ?? error;
  });
  return await usedSpace(session, await readFilesystems(session));
}

/**
 * In the hosts' order. What limits how many are migrated at once limits how many are asked: a jump host that takes one login
 * takes one. Windows, waves and what comes after what are no matter yet.
 */
export async function estimates<Host extends QueuedHost>(
  hosts: readonly Host[],
  { concurrency, perJump, perGroup }: Pick<QueueLimits, 'concurrency' | 'perJump' | 'perGroup'>,
  ask: (host: Host) => Promise<number>,
): Promise<HostEstimate[]> {
  const waiting = hosts.map((host) => {
    const { name, groups = [], jump, endpoint } = host;
    return { name, groups, jump, endpoint, host };
  });
  const queue = new Queue(waiting, {
    concurrency: Math.min(concurrency, ASKED_AT_ONCE),
    perJump,
    ...(perGroup === undefined ? {} : { perGroup }),
  });
  const answers = new Map<string, number | null>();
  const asked = new Set<Promise<void>>();
  while (!queue.over) {
    for (const next of queue.decide(0).start) {
      const answered = ask(next.host)
        .catch(() => null)
        .then((bytes) => {
          answers.set(next.name, bytes);
          queue.ended(next, 'done');
          asked.delete(answered);
        });
      asked.add(answered);
    }
    await Promise.race(asked);
  }
  return hosts.map(({ name }) => ({ host: name, bytes: answers.get(name) ?? null }));
}

/** A sentence, and where the disk may not do one more about which host it may end at. */
export function describeDiskPlan({ hosts, free }: DiskPlan): string {
  const known = hosts.flatMap(({ host, bytes }) => (bytes === null ? [] : [{ host, bytes }]));
  const silent = hosts.length - known.length;
  if (known.length === 0)
    return `how much the hosts hold is not known: none could be asked; the store has ${formatBytes(free)} free`;
  const sum = known.reduce((total, { bytes }) => total + bytes, 0);
  const besides = silent === 0 ? '' : `, beside ${silent} that could not be asked`;
  const plan = `${formatCount(known.length, 'host')} ${known.length === 1 ? 'holds' : 'hold'} at most ${formatBytes(sum)}${besides}; the store has ${formatBytes(free)} free`;
  let left = free;
  const short = known.find(({ bytes }) => {
    left -= bytes;
    return left < 0;
  });
  if (short === undefined) return plan;
  return `${plan}: from ${short.host} on, they may not fit, unless rules leave enough out ('p2c audit -i FILE' tells)`;
}
