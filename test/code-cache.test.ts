import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { CodeCache } from '../src/code-cache.ts';
import { temporaryFolder } from './helpers/temporary.ts';

const DATA = Buffer.from('what V8 made of it');

test('what was written for a verb and a build is read again, and by nobody else', async (t) => {
  const folder = join(await temporaryFolder(t), 'cache', 'p2c');
  const cache = new CodeCache(folder, 'audit', 'one');
  t.is(cache.read(), undefined);
  cache.write(DATA);
  t.deepEqual(cache.read(), DATA);
  t.is(statSync(folder).mode & 0o777, 0o700);
  t.is(statSync(join(folder, 'audit_one.v8')).mode & 0o777, 0o600);
  t.is(new CodeCache(folder, 'audit', 'two').read(), undefined);
  t.is(new CodeCache(folder, 'migrate', 'one').read(), undefined);
});

test('a new build takes the place of the old one, verb by verb', async (t) => {
  const folder = await temporaryFolder(t);
  for (const verb of ['audit', 'audits']) new CodeCache(folder, verb, 'one').write(DATA);
  new CodeCache(folder, 'audit', 'two').write(DATA);
  t.deepEqual(readdirSync(folder).sort(), ['audit_two.v8', 'audits_one.v8']);
});

test('code that others may have changed is not run', async (t) => {
  const folder = await temporaryFolder(t);
  const cache = new CodeCache(folder, 'audit', 'one');
  cache.write(DATA);
  const file = join(folder, 'audit_one.v8');
  for (const mode of [0o620, 0o602]) {
    chmodSync(file, mode);
    t.is(cache.read(), undefined);
  }
});

test('what is damaged is not run: V8 would crash', async (t) => {
  const folder = await temporaryFolder(t);
  const cache = new CodeCache(folder, 'audit', 'one');
  cache.write(DATA);
  const file = join(folder, 'audit_one.v8');
  const good = readFileSync(file);
  for (const bad of [good.subarray(0, -1), Buffer.concat([good.subarray(0, -4), Buffer.alloc(4)]), Buffer.alloc(0)]) {
    writeFileSync(file, bad);
    t.is(cache.read(), undefined);
  }
  writeFileSync(file, good);
  t.deepEqual(cache.read(), DATA);
  const nowhere = new CodeCache(undefined, 'audit', 'one');
  nowhere.write(DATA);
  t.is(nowhere.read(), undefined);
});

test('a place that cannot be written, or is no folder, ends nothing and leaves nothing', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const inFile = new CodeCache(join(file, 'p2c'), 'audit', 'one');
  inFile.write(DATA);
  t.is(inFile.read(), undefined);
  mkdirSync(join(folder, 'audit_one.v8'));
  const inTheWay = new CodeCache(folder, 'audit', 'one');
  inTheWay.write(DATA);
  t.is(inTheWay.read(), undefined);
  symlinkSync('nowhere', join(folder, 'audit_two.v8'));
  t.is(new CodeCache(folder, 'audit', 'two').read(), undefined);
  t.deepEqual(readdirSync(folder).sort(), ['audit_one.v8', 'audit_two.v8', 'file']);
});
