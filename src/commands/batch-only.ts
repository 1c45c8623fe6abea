/** Options that mean the hosts of an inventory: where one server is named, they would be taken and do nothing. */
import { usageError } from '../errors.ts';
import type { FleetOptions } from './fleet-options.ts';

/** Every option of a batch has its place here, or is for one server too. */
const BATCH_ONLY = {
  limit: true,
  'ask-vault-pass': true,
  'vault-password-file': true,
  'vault-id': true,
  concurrency: true,
  serial: true,
  'fail-fast': true,
  'max-failures': true,
  attempts: true,
  'per-jump': true,
  'per-group': true,
  pre: true,
  post: true,
  fail: true,
  'batch-pre': true,
  'batch-post': true,
  'batch-fail': true,
  webhook: true,
  'metrics-file': true,
  estimate: true,
} as const satisfies Readonly<Record<Exclude<keyof FleetOptions, 'inventory'> | 'estimate', true>>;

/** @param typed names of the options that were typed. @throws P2cError `usage`. */
export function refuseBatchOptions(typed: ReadonlySet<string>): void {
  const found = Object.keys(BATCH_ONLY).filter((name) => typed.has(name));
  if (found.length === 0) return;
  const names = found.map((name) => `--${name}`).join(', ');
  throw usageError(
    `${names} ${found.length === 1 ? 'is' : 'are'} for the hosts of an inventory, and one target is named`,
    {
      code: 'usage',
      hint: `leave ${found.length === 1 ? 'it' : 'them'} out, or name the hosts with -i FILE`,
    },
  );
}

/** @throws P2cError `usage` for an option that a batch would not use. */
export function refuseOwnPort(typed: ReadonlySet<string>): void {
  if (!typed.has('port')) return;
  throw usageError('--port is for one target, and an inventory says the port of each host', {
    code: 'usage',
    hint: "write 'port:' (Ansible: ansible_port) into the inventory, for a host, a group or all",
  });
}
