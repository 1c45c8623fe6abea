import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { bundledPackages, licencesOf } from '../scripts/lib/licences.ts';

const output = (inputs: Readonly<Record<string, number>>) => ({
  bytes: 1,
  imports: [],
  exports: [],
  inputs: Object.fromEntries(Object.entries(inputs).map(([path, bytesInOutput]) => [path, { bytesInOutput }])),
});

test('a bundle names the packages whose code it holds, each once, nested ones as themselves', (t) => {
  const outputs = {
    'dist/cli.cjs': output({ 'src/cli.ts': 9, 'node_modules/b/index.js': 3, 'node_modules/unused/index.js': 0 }),
    'dist/parts/a.js': output({
      'node_modules/b/more.js': 3,
      'node_modules/@scope/a/lib/x.js': 1,
      'node_modules/b/node_modules/c/x.js': 1,
    }),
  };
  t.deepEqual(bundledPackages({ inputs: {}, outputs }), [
    'node_modules/@scope/a',
    'node_modules/b',
    'node_modules/b/node_modules/c',
  ]);
});

test('licences and notices are told in full, and a package without one may not be bundled', (t) => {
  const home = mkdtempSync(join(tmpdir(), 'p2c-licences-'));
  t.teardown(() => rmSync(home, { recursive: true }));
  const put = (name: string, files: Readonly<Record<string, string>>): void => {
    mkdirSync(join(home, name));
    const about = { name, version: '1.2.3', license: 'MIT' };
    for (const [file, text] of Object.entries({ 'package.json': JSON.stringify(about), ...files })) {
      writeFileSync(join(home, name, file), text);
    }
  };
  put('one', { license: 'as you like\n', NOTICE: 'by someone\n' });
  put('bare', {});
  t.regex(licencesOf(home, ['one']), /one 1\.2\.3 \(MIT\)\n\nby someone\n\nas you like\n$/);
  t.throws(() => licencesOf(home, ['bare']), { message: /bare has no file with its licence$/ });
});
