/** The verbs of the store, called in this process with a store of the test's own. */
import { appendFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import yargs from 'yargs';
import type { RunnableVerb } from '../../src/commands/command.ts';
import { verb as inspect } from '../../src/commands/image-inspect.ts';
import { verb as remove } from '../../src/commands/image-rm.ts';
import { verb as validate } from '../../src/commands/image-validate.ts';
import { verb as images } from '../../src/commands/images.ts';
import { P2cError } from '../../src/errors.ts';
import { newConfig } from '../../src/oci/config.ts';
import { hexOf } from '../../src/oci/digest.ts';
import type { Image } from '../../src/oci/image.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { MediaType } from '../../src/oci/spec.ts';
import { ImageStore } from '../../src/oci/store.ts';
import { isSafe } from '../helpers/is-safe.ts';
import { type RawEntry, rawTar } from '../helpers/raw-tar.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

/** Points P2C_ROOT at a folder where nothing is yet. */
async function root(t: ExecutionContext): Promise<string> {
  const before = process.env['P2C_ROOT'];
  const path = join(await temporaryFolder(t), 'store');
  process.env['P2C_ROOT'] = path;
  t.teardown(() => {
    if (before === undefined) delete process.env['P2C_ROOT'];
    else process.env['P2C_ROOT'] = before;
  });
  return path;
}

async function add(path: string, name: string, entries: readonly RawEntry[], created: Date): Promise<Image> {
  await using store = await ImageStore.open(path, { create: true });
  await using blob = await store.createBlob();
  await blob.write([rawTar(entries)]);
  const { digest, size } = await blob.commit();
  const layers = [{ mediaType: MediaType.layerTar, digest, diffID: digest, size }];
  const config = newConfig({
    architecture: 'amd64',
    created,
    layers,
    comment: 'from the rack',
    createdBy: 'a test',
    labels: { hostile: '\x1b[2J', c1: '\x9b2J' },
    command: ['/bin/sh'],
    environment: ['A=b'],
    volumes: ['/v'],
    ports: ['80/tcp'],
  });
  return store.addImage({ reference: parseReference(name), layers, config });
}

const A: readonly RawEntry[] = [{ name: 'a', content: 'a' }];
const B: readonly RawEntry[] = [{ name: 'b', content: 'b' }];
const hoursAgo = (hours: number): Date => new Date(Date.now() - hours * 3_600_000);

/** What it prints on standard output, and its exit code. */
async function call(verb: RunnableVerb, ...argv: string[]): Promise<{ code: number; output: string }> {
  const { write } = process.stdout;
  const writeError = process.stderr.write;
  let output = '';
  process.stdout.write = (chunk: string | Uint8Array) => {
    output += String(chunk);
    return true;
  };
  process.stderr.write = () => true;
  try {
    const parser = async () =>
      yargs([]).strictOptions().exitProcess(false).parserConfiguration({ 'boolean-negation': true });
    return { code: await verb.call(parser, argv), output };
  } finally {
    process.stdout.write = write;
    process.stderr.write = writeError;
  }
}

test.serial('images: a store that nobody made is an empty one', async (t) => {
  await root(t);
  t.deepEqual(await call(images), { code: 0, output: 'REPOSITORY  TAG  IMAGE ID  CREATED  SIZE\n' });
  t.deepEqual(await call(images, '--json'), { code: 0, output: '[]\n' });
  t.deepEqual(await call(images, '-q'), { code: 0, output: '' });
});

test.serial('images: a table as podman’s, IDs alone, whole IDs, JSON', async (t) => {
  const path = await root(t);
  const old = await add(path, 'localhost:5000/team/lab:v1', A, hoursAgo(49));
  const now = await add(path, 'lab', B, hoursAgo(3));
  const [oldID, newID] = [hexOf(old.configDigest), hexOf(now.configDigest)];
  const lines = (await call(images)).output.split('\n').map((line) => line.split(/ {2,}/));
  t.deepEqual(lines, [
    ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE'],
    ['lab', 'latest', newID.slice(0, 12), '3 hours ago', '2.05 kB'],
    ['localhost:5000/team/lab', 'v1', oldID.slice(0, 12), '2 days ago', '2.05 kB'],
    [''],
  ]);
  t.is((await call(images, '-q')).output, `${newID.slice(0, 12)}\n${oldID.slice(0, 12)}\n`);
  t.is((await call(images, '-q', '--no-trunc')).output, `${newID}\n${oldID}\n`);
  const [first] = JSON.parse((await call(images, '--json')).output);
  t.deepEqual(
    [first.Id, first.Names, first.Digest, first.Size, first.Labels],
    [newID, ['lab:latest'], now.digest, 2048, { hostile: '\x1b[2J', c1: '\x9b2J' }],
  );
  await t.throwsAsync(call(images, 'lab'), { instanceOf: P2cError, code: 'usage' });
});

test.serial('image inspect: fields and templates', async (t) => {
  const path = await root(t);
  const image = await add(path, 'lab', A, hoursAgo(1));
  await add(path, 'reg.example/lab:2', A, new Date(image.config.created ?? 0));
  const [seen, ...more] = JSON.parse((await call(inspect, 'lab')).output);
  t.deepEqual(more, []);
  t.is(seen.Id, hexOf(image.configDigest));
  t.deepEqual(seen.RepoTags, ['lab:latest', 'reg.example/lab:2']);
  t.deepEqual(seen.RepoDigests, [`lab@${image.digest}`, `reg.example/lab@${image.digest}`]);
  t.is(seen.Comment, 'from the rack');
  t.deepEqual(seen.RootFS, { Type: 'layers', Layers: image.config.rootfs.diff_ids });
  t.deepEqual(seen.Config.Volumes, { '/v': {} });
  // Each of the names and digests that it shows is one that it takes.
  for (const name of [...seen.RepoTags, ...seen.RepoDigests, seen.Id, seen.Digest]) {
    t.is(JSON.parse((await call(inspect, name)).output)[0].Id, seen.Id, name);
  }
  const format = async (template: string): Promise<string> => (await call(inspect, '--format', template, 'lab')).output;
  t.is(await format('{{.Id}} {{ .Config.Env }} {{json .Os}}'), `${seen.Id} ["A=b"] "linux"\n`);
  t.is(await format('{{.Labels.hostile}}'), '\\x1b[2J\n');
  for (const more of ['{{range .A}}{{.}}{{end}}', '{{.Id', 'Id}}', '{{.Id}}}}', '{{ .Id | json }}', '{{}}']) {
    await t.throwsAsync(format(more), { code: 'usage' }, more);
  }
  const unknown = { instanceOf: P2cError, code: 'usage' };
  for (const template of ['{{.Nothing}}', '{{.Config.Nothing}}', '{{.Id.length}}', '{{.constructor}}']) {
    await t.throwsAsync(format(template), unknown, template);
  }
  await t.throwsAsync(call(inspect), unknown);
  await t.throwsAsync(call(inspect, 'lab', 'nothing'), { instanceOf: P2cError, code: 'image.unknown' });
});

test.serial('image rm: all that are named are there, or none is removed', async (t) => {
  const path = await root(t);
  await add(path, 'one', A, hoursAgo(1));
  await add(path, 'two', B, hoursAgo(1));
  await t.throwsAsync(call(remove, 'one', 'three'), { instanceOf: P2cError, code: 'image.unknown' });
  t.is((await (await ImageStore.open(path)).list()).length, 2);
  t.deepEqual(await call(remove, 'one', 'two'), { code: 0, output: 'Untagged: one:latest\nUntagged: two:latest\n' });
  t.deepEqual(await (await ImageStore.open(path)).list(), []);
  await t.throwsAsync(call(remove), { instanceOf: P2cError, code: 'usage' });
});

test.serial('what another tool named so that a terminal obeys it is escaped, in text and in JSON', async (t) => {
  const path = await root(t);
  const { manifest, config } = await add(path, 'lab', A, hoursAgo(1));
  const store = await ImageStore.open(path);
  const layers = manifest.layers.map((layer) => ({ ...layer, diffID: layer.digest }));
  await store.addImage({ reference: { name: 'odd\x9b2J\x1b[2J' }, layers, config });
  for (const argv of [[], ['--format', '{{json .}}']]) {
    const { output } = await call(inspect, ...argv, 'odd\x9b2J\x1b[2J');
    t.true(isSafe(output.replaceAll('\n', '')), output);
    t.true(output.includes('odd\\u009b2J\\u001b[2J'), output);
  }
  t.true(isSafe((await call(images, '--json')).output.trimEnd()));
  const removed = await call(remove, 'odd\x9b2J\x1b[2J');
  t.is(removed.output, 'Untagged: odd\\x9b2J\\x1b[2J\n');
});

test.serial('image rm: a damaged image goes, too', async (t) => {
  const path = await root(t);
  const image = await add(path, 'lab', A, hoursAgo(1));
  const store = await ImageStore.open(path);
  truncateSync(store.blobPath(image.digest), 3);
  await t.throwsAsync(call(images), { instanceOf: P2cError, message: /manifest of 'lab:latest'/ });
  t.is((await call(remove, 'lab')).code, 0);
  t.is((await call(images, '-q')).output, '');
});

test.serial('image validate: exit code 0 without a fault, 4 with, and all of them told', async (t) => {
  const path = await root(t);
  const good = await add(path, 'good', A, hoursAgo(1));
  await add(path, 'bad', [{ name: '/abs' }, { name: 'x/\x1b[2J' }], hoursAgo(1));
  t.deepEqual(await call(validate, 'good'), { code: 0, output: 'good: valid (1 layer, 1 entry, 2.05 kB)\n' });
  const bad = await call(validate, 'good', 'bad');
  t.is(bad.code, 4);
  const lines = bad.output.split('\n');
  t.regex(lines[1] ?? '', /^layer\.absolute {2}layer [0-9a-f]{12}: the name '\/abs' is absolute$/);
  t.regex(lines[2] ?? '', /^layer\.parent .*'\/x\/\\x1b\[2J' is here/);
  t.is(lines[3], 'bad: 2 faults (1 layer, 2 entries, 2.05 kB)');
  const all = await call(validate, '--all', '--json');
  t.is(all.code, 4);
  const [verdict] = JSON.parse(all.output);
  t.deepEqual([verdict.valid, verdict.images, verdict.total], [false, 2, 2]);
  t.deepEqual(Object.keys(verdict.faults[0]), ['code', 'where', 'message']);
  appendFileSync((await ImageStore.open(path)).blobPath(good.digest), ' ');
  t.is((await call(validate, 'good')).code, 4);
});

test.serial('image validate: what is named, and what is not', async (t) => {
  const path = await root(t);
  await t.throwsAsync(call(validate, '--all'), { instanceOf: P2cError, code: 'store.missing' });
  await add(path, 'lab', A, hoursAgo(1));
  await t.throwsAsync(call(validate), { instanceOf: P2cError, code: 'usage' });
  await t.throwsAsync(call(validate, '--all', 'lab'), { instanceOf: P2cError, code: 'usage' });
  await t.throwsAsync(call(validate, 'other'), { instanceOf: P2cError, code: 'image.unknown' });
});
