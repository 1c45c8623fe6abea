import { always, type Recipe } from '../recipe.ts';
import { runAtBoot } from './boot-script.ts';

const KEY = /^ssh_host_(?:(rsa|dsa|ecdsa|ed25519)_)?key$/;

/**
 * A clone that answers with the old server's keys is the old server to everyone who knows it. New ones of the same kinds
 * are made before sshd starts (ssh-keygen(1)). `--without ssh-host-keys` keeps them, for a clone that takes its place.
 */
export const sshHostKeys: Recipe = {
  name: 'ssh-host-keys',
  summary: 'removes the SSH host keys: new ones are made at the first boot',
  appliesTo: always,
  apply: (draft, system, { services }) => {
    const keys = draft.matching('/etc/ssh', KEY);
    if (keys.length === 0) return;
    if (system.init === 'none' && !services) {
      for (const path of keys) draft.passOver(path, 'it stays: neither an init nor a script would make a new one');
      return;
    }
    const made = runAtBoot(draft, system, {
      name: 'ssh-host-keys',
      description: 'SSH host keys of this clone',
      before: ['ssh', 'sshd', 'sshd-keygen'],
      lines: keys.map(makeKey),
    });
    // A server without keys lets nobody in.
    for (const path of made ? [] : keys) draft.passOver(path, 'it stays: what makes a new one has no place');
    for (const path of made ? keys : []) {
      draft.remove(path);
      draft.remove(`${path}.pub`);
    }
  },
};

function makeKey(path: string): string {
  const type = KEY.exec(path.slice('/etc/ssh/'.length))?.[1] ?? 'rsa1';
  return `[ -s ${path} ] || ssh-keygen -q -t ${type} -N '' -f ${path} </dev/null`;
}
