import { execFileSync } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs';
import test from 'ava';
import { TarReader } from '../../src/oci/validation/tar-reader.ts';
import { LayerChecker } from '../../src/runtime/layer-checker.ts';
import { remoteTarScript } from '../../src/tar/remote-tar.ts';
import { filtered } from '../helpers/filtered.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const LONG = `long-${'x'.repeat(200)}`;
const SIZE = 3 * 2 ** 30;

/** A tree with two sparse files, as the remote tar sends it. */
async function stream(t: Parameters<typeof temporaryFolder>[0]): Promise<{ folder: string; bytes: Buffer }> {
  const folder = await temporaryFolder(t);
  for (const name of ['holes', LONG]) {
    const file = openSync(`${folder}/${name}`, 'w');
    ftruncateSync(file, SIZE);
    writeSync(file, 'island', 2 ** 31);
    closeSync(file);
  }
  const script = remoteTarScript(
    { noUnquote: true, posixFormat: true, xattrs: true, xattrsInclude: true },
    { sparse: true },
  );
  const names = ['holes', LONG].map((name) => `./${name}\0`).join('');
  const here = script.replace('cd / &&', `cd '${folder}' &&`);
  return { folder, bytes: execFileSync('sh', ['-c', here], { input: names, maxBuffer: 2 ** 24 }) };
}

test('sparse files that were asked for pass, under names that no process ID is in', async (t) => {
  const { folder, bytes } = await stream(t);
  t.true(bytes.includes('GNUSparseFile.'));
  for (const chunks of [[1, 700], [512], [100_000]]) {
    const result = filtered(bytes, ['/holes', `/${LONG}`], chunks, [], { sparse: true });
    t.deepEqual(
      result.delivered.map(({ path, fixes }) => [path.slice(0, 6), fixes]),
      [
        ['/holes', ['stored as a sparse file']],
        ['/long-', ['stored as a sparse file']],
      ],
    );
    t.false(/GNUSparseFile\.[1-9]/.test(result.bytes.toString('latin1')));
    execFileSync('tar', ['-xf-', '--transform=s/^/out-/'], { cwd: folder, input: result.bytes });
    for (const name of ['holes', LONG]) {
      const out = statSync(`${folder}/out-./${name}`);
      t.is(out.size, SIZE);
      t.true(out.blocks * 512 < 2 ** 20);
    }
  }
});

test('the oracle and the unpacking read the same names', async (t) => {
  const { bytes } = await stream(t);
  const passed = filtered(bytes, ['/holes', `/${LONG}`], undefined, [], { sparse: true }).bytes;
  const complaints: string[] = [];
  const reader = new TarReader((code) => complaints.push(code));
  t.deepEqual(
    reader.push(passed).map(({ name }) => String(name)),
    ['./holes', `./${LONG}`],
  );
  t.deepEqual(complaints, []);
  const checker = new LayerChecker();
  t.true(Buffer.concat([...checker.push(passed), checker.end()]).equals(passed));
});

test('a sparse file of another format is refused even where sparse files were asked for', async (t) => {
  const { folder } = await stream(t);
  for (const version of ['0.0', '0.1']) {
    const options = ['-cf-', '--format=posix', '--sparse', `--sparse-version=${version}`, './holes'];
    const bytes = execFileSync('tar', options, { cwd: folder, maxBuffer: 2 ** 24 });
    t.throws(() => filtered(bytes, ['/holes'], undefined, [], { sparse: true }), {
      code: 'tar.malformed',
      message: /another format than GNU's 1\.0/,
    });
  }
});
