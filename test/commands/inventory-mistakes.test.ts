/** What is wrong with an inventory's hosts beyond the form of its values: all of it at once, with its place. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import yargs from 'yargs';
import { HostMistakes } from '../../src/commands/host-mistakes.ts';
import { profilesOfHosts, referencesOf, requireWindows } from '../../src/commands/inventory-mistakes.ts';
import { migrateOptions } from '../../src/commands/migrate-options.ts';
import { hostRequests } from '../../src/commands/migrate-request.ts';
import { P2cError } from '../../src/errors.ts';
import { loadInventory } from '../../src/fleet/inventory.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const TEXT = `defaults: { profile: nope, tag: 'x/{{host}}:1' }
hosts:
  web1:
  web2: { window: '2020-01-01 00:00 - 2020-01-02 00:00' }
  db: { tag: 'x/web1:1', profile: nginx }
  mail: { tag: 'X!' }
`;

test('profiles, names of images and windows, each mistake once', async (t) => {
  const file = join(await temporaryFolder(t), 'fleet.yaml');
  await writeFile(file, TEXT);
  const { hosts } = await loadInventory(file);
  const mistakes = new HostMistakes();
  await profilesOfHosts(hosts, undefined, mistakes);
  await referencesOf(hosts, mistakes);
  await requireWindows(hosts, mistakes);
  const { message, exitCode } = t.throws(() => mistakes.throwAny(), { instanceOf: P2cError });
  t.is(exitCode, 2);
  const lines = message.split('\n').map((line) => line.replaceAll(file, 'fleet.yaml'));
  t.is(lines.length, 5);
  t.is(lines[0], 'the inventory has 4 mistakes');
  t.is(lines[1], "fleet.yaml:1:22: web1, web2, mail: there is no profile 'nope'");
  t.is(lines[2], "fleet.yaml:5:14: db: the hosts 'web1' and 'db' would have the same image name, x/web1:1");
  t.regex(lines[3] ?? '', /^fleet\.yaml:6:16: mail: .*X!/);
  t.is(lines[4], "fleet.yaml:4:19: web2: the maintenance window of 'web2' is over, and it has no other");
});

test('a run goes on though the window of a host that is done is over, and its profile is gone', async (t) => {
  const text = `defaults: { tag: 'x/{{host}}:1' }
hosts:
  web1: { window: '2020-01-01 00:00 - 2020-01-02 00:00', profile: nope }
  web2:
`;
  const file = join(await temporaryFolder(t), 'fleet.yaml');
  await writeFile(file, text);
  const { hosts } = await loadInventory(file);
  const options = await migrateOptions(yargs([])).parseAsync(['-i', file]);
  await t.throwsAsync(hostRequests(hosts, options), { message: /window of 'web1' is over/ });
  const requests = await hostRequests(hosts, options, ({ name }) => name === 'web1');
  t.deepEqual(
    [...requests.keys()].map(({ name }) => name),
    ['web2'],
  );
});
