/** How a host of an inventory is reached: what the inventory says goes before the options, as Ansible has it. */
import type { FleetHost } from '../fleet/host.ts';
import { becomePasswordOfAll } from './become-password.ts';
import { type Aside, type ConnectionOptions, connectOptions } from './connection-options.ts';

/** @throws P2cError for options that are wrong. */
export function hostConnectOptions(
  { connection }: FleetHost,
  options: Partial<ConnectionOptions>,
  signal?: AbortSignal,
  aside?: Aside,
): ReturnType<typeof connectOptions> {
  const { password, becomePassword, ...way } = connection;
  const connect = connectOptions({ ...options, ...way }, signal, aside);
  const typed = options['ask-become-pass'] === true ? becomePasswordOfAll : undefined;
  const become =
    connect.become === undefined
      ? undefined
      : { ...connect.become, password: becomePassword ?? connect.become.password ?? typed };
  return { ...connect, become, password: password ?? connect.password };
}
