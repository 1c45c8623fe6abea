import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ExitCode, P2cError } from '../../src/errors.ts';
import { requireAskedServices } from '../../src/profiles/asked-services.ts';
import { loadProfile } from '../../src/profiles/load.ts';
import { localSession } from '../helpers/local-session.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

/** A systemctl that knows shop and a masked one. */
const SYSTEMCTL = `#!/bin/sh
case "$*" in
*list-unit-files*) echo 'shop.service enabled enabled'; echo 'ship-it@.service static -' ;;
*shop.service*) echo LoadState=loaded ;;
*hidden.service*) echo LoadState=masked ;;
*) echo LoadState=not-found ;;
esac
`;

test('a service that is named and not there is a mistake, with what there is', async (t) => {
  const folder = join(await temporaryFolder(t), 'bin');
  mkdirSync(folder);
  const file = join(folder, 'systemctl');
  writeFileSync(file, SYSTEMCTL);
  chmodSync(file, 0o755);
  const session = localSession({ path: `${folder}:${process.env['PATH'] ?? ''}` });
  const ask = (...names: string[]) =>
    requireAskedServices(
      session,
      names.map((name) => loadProfile(name)),
    );

  await ask('nginx');
  t.is(session.ledger.length, 0);
  await ask('generic-systemd:shop', 'nginx', 'generic-systemd:hidden');
  t.true(session.ledger.every(({ changesSource }) => !changesSource));
  const near = await t.throwsAsync(() => ask('generic-systemd:shop', 'generic-systemd:shp'), {
    instanceOf: P2cError,
  });
  t.like(near, { code: 'profile.no-service', exitCode: ExitCode.usage, hint: 'it has: ship-it@, shop' });
  t.regex(near.message, /has no service of systemd 'shp' \(did you mean 'shop'\?\)/);
  await t.throwsAsync(() => ask('generic-sysv:p2c-no-such'), {
    instanceOf: P2cError,
    message: /has no System V service 'p2c-no-such', so --profile generic-sysv:p2c-no-such stops nothing/,
  });
});
