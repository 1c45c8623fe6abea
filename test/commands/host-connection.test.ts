/** How a host of an inventory is reached where the options say something else. */
import test from 'ava';
import { hostConnectOptions } from '../../src/commands/host-connection.ts';
import type { FleetHost, HostConnection } from '../../src/fleet/host.ts';
import { Secret } from '../../src/ssh/secret.ts';
import { parseTarget } from '../../src/ssh/target.ts';

function host(connection: HostConnection): FleetHost {
  return {
    name: 'web1',
    groups: [],
    target: parseTarget('joe@web1'),
    connection,
    profiles: [],
    tag: undefined,
    exclude: [],
    include: [],
    volumes: [],
    labels: {},
    after: [],
  };
}

const OPTIONS = { 'password-command': 'echo option', 'become-password-command': 'echo option-become' };
const own = (value: string) => async (): Promise<Secret> => new Secret(value);

async function passwords(connection: HostConnection): Promise<(string | undefined)[]> {
  const { password, become } = hostConnectOptions(host(connection), OPTIONS);
  return [(await password?.())?.reveal(), (await become?.password?.())?.reveal()];
}

test("a host's own passwords go before those of options, and each stands alone", async (t) => {
  t.deepEqual(await passwords({ password: own('own'), becomePassword: own('own-become') }), ['own', 'own-become']);
  t.deepEqual(await passwords({ password: own('own') }), ['own', 'option-become']);
  t.deepEqual(await passwords({ becomePassword: own('own-become') }), ['option', 'own-become']);
  t.deepEqual(await passwords({}), ['option', 'option-become']);
});
