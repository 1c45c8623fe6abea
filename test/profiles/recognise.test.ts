/** Applications that run here, recognised by looking. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { recognise } from '../../src/profiles/recognise.ts';
import { profileSchema } from '../../src/profiles/schema.ts';
import { playground } from '../helpers/fake-application.ts';
import { localSession } from '../helpers/local-session.ts';

test('a process whose name is longer than the kernel keeps is recognised, and one of which the beginning was asked for', async (t) => {
  const name = 'kept-in-part-by-the-kernel';
  const file = join(playground(t).folder, name);
  copyFileSync('/bin/sleep', file);
  await once(spawn(file, ['1000'], { stdio: 'ignore' }), 'spawn');
  const profiles = [name, 'kept-in-part-by-*', 'kept-in-*', 'kept-in-part', 'kept-in-'].map((process, index) =>
    profileSchema.parse({ name: `by-${index}`, detect: { process } }),
  );
  const found = await recognise(localSession(), profiles);
  t.deepEqual(
    found.map(({ profile, running }) => [profile.name, running]),
    [
      ['by-0', true],
      ['by-1', true],
      ['by-2', true],
    ],
  );
});
