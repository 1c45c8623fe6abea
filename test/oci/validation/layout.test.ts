/** The oracle is shown sound images and then the same ones with one fault each: it must name that fault, and no other. */
import { createHash } from 'node:crypto';
import { appendFileSync, chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { P2cError } from '../../../src/errors.ts';
import type { Verdict } from '../../../src/oci/validation/examination.ts';
import { validateImage, validateLayout } from '../../../src/oci/validation/layout.ts';
import { type RawEntry, rawTar } from '../../helpers/raw-tar.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const LAYER = 'application/vnd.oci.image.layer.v1.tar';
const EMPTY = 'application/vnd.oci.empty.v1+json';

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** A layout made without the store's help. */
class Site {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
    mkdirSync(join(root, 'blobs/sha256'), { recursive: true });
    writeFileSync(join(root, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    this.index([]);
  }

  index(manifests: readonly object[], more: object = {}): void {
    writeFileSync(join(this.root, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests, ...more }));
  }

  blob(content: Buffer | object, mediaType: string): Descriptor {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    const digest = digestOf(bytes);
    writeFileSync(this.file(digest), bytes);
    return { mediaType, digest, size: bytes.length };
  }

  file(digest: string): string {
    return join(this.root, 'blobs', digest.replace(':', '/'));
  }

  /** An image of these layers, with what `config` and `manifest` change. */
  image(layers: readonly (readonly RawEntry[])[], config: object = {}, manifest: object = {}): Descriptor {
    const tars = layers.map((entries) => rawTar(entries));
    return this.imageOf(
      tars.map((tar) => this.blob(tar, LAYER)),
      tars.map(digestOf),
      config,
      manifest,
    );
  }

  imageOf(
    layers: readonly Descriptor[],
    diffIDs: readonly string[],
    config: object = {},
    manifest: object = {},
  ): Descriptor {
    const whole = {
      created: '2026-01-02T03:04:05.678Z',
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: diffIDs },
      history: diffIDs.map(() => ({ created_by: 'a test' })),
      ...config,
    };
    const described = this.blob(whole, 'application/vnd.oci.image.config.v1+json');
    return this.blob({ schemaVersion: 2, mediaType: MANIFEST, config: described, layers, ...manifest }, MANIFEST);
  }
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function siteOf(t: ExecutionContext): Promise<Site> {
  return new Site(await temporaryFolder(t));
}

const named = (descriptor: Descriptor, name: string): object => ({
  ...descriptor,
  annotations: { 'org.opencontainers.image.ref.name': name },
});
const told = ({ faults }: Verdict): string[] => faults.map(({ code, message }) => `${code}: ${message}`);
const A: readonly RawEntry[] = [{ name: 'a', content: 'a' }];
const B: readonly RawEntry[] = [{ name: 'b', content: 'b' }];

test('a sound layout has no faults, and is measured', async (t) => {
  const site = await siteOf(t);
  const one = site.image([A, B], { config: { Env: ['A=b'], Volumes: { '/v': {} }, ExposedPorts: { '80/tcp': {} } } });
  const other = site.image([A], { config: null, history: undefined });
  site.index([named(one, 'one:latest'), named(one, 'again:latest'), other], { mediaType: INDEX });
  t.deepEqual(await validateLayout(site.root), { images: 2, layers: 3, entries: 3, bytes: 6144, faults: [], total: 0 });
  t.deepEqual((await validateImage(site.root, 'one')).images, 1);
});

test('an image is named by tag, digest or ID', async (t) => {
  const site = await siteOf(t);
  const one = site.image([A]);
  site.index([named(one, 'one:latest'), named(site.image([B]), 'localhost/two:x')]);
  const config: { config: Descriptor } = JSON.parse(readFileSync(site.file(one.digest), 'utf8'));
  const id = config.config.digest.slice(7);
  for (const name of ['one', 'localhost/one:latest', one.digest, `one@${one.digest}`, id, id.slice(0, 12), 'two:x']) {
    t.is((await validateImage(site.root, name)).images, 1, name);
  }
  for (const name of ['nothing', '', `sha256:${'0'.repeat(64)}`]) {
    await t.throwsAsync(validateImage(site.root, name), { instanceOf: P2cError, code: 'image.unknown' }, name);
  }
  await t.throwsAsync(validateLayout(join(site.root, 'nowhere')), { instanceOf: P2cError, code: 'store.missing' });
});

test('an image that is not there is told as that, also where the layout has another fault', async (t) => {
  const site = await siteOf(t);
  site.index([named(site.image([A]), 'one')]);
  writeFileSync(join(site.root, 'blobs/sha256/ABC'), '');
  const unknown = { instanceOf: P2cError, code: 'image.unknown' };
  t.is((await t.throwsAsync(validateImage(site.root, 'nosuch'), unknown))?.exitCode, 2);
  site.index([named(site.image([A]), 'one')], { schemaVersion: 3 });
  const codes = (await validateImage(site.root, 'nosuch')).faults.map(({ code }) => code);
  t.deepEqual(codes, ['layout.blob-name', 'document.form', 'image.unknown']);
});

test('faults of one image are not told of another, those of the layout are', async (t) => {
  const site = await siteOf(t);
  const bad = site.image([[{ name: '/abs' }]]);
  site.index([named(site.image([A]), 'good'), named(bad, 'bad')]);
  t.deepEqual(told(await validateImage(site.root, 'good')), []);
  t.is((await validateImage(site.root, 'bad')).total, 1);
  rmSync(join(site.root, 'oci-layout'));
  t.deepEqual(told(await validateImage(site.root, 'good')), ['document.missing: it is missing']);
});

test('gzipped layers are examined like plain ones', async (t) => {
  const site = await siteOf(t);
  const tar = rawTar([...A, ...A]);
  const gzipped = site.blob(gzipSync(tar), `${LAYER}+gzip`);
  site.index([site.imageOf([gzipped], [digestOf(tar)])]);
  const verdict = await validateLayout(site.root);
  t.deepEqual(told(verdict), ["layer.duplicate: '/a' is there twice, here as 'a'"]);
  t.is(verdict.bytes, tar.length);
});

test('a gzipped layer that breaks off, and one whose diffID is that of the gzip', async (t) => {
  const site = await siteOf(t);
  const whole = gzipSync(rawTar(A));
  const cut = site.blob(whole.subarray(0, -9), `${LAYER}+gzip`);
  site.index([site.imageOf([cut], [digestOf(rawTar(A))])]);
  t.deepEqual(told(await validateLayout(site.root)), ['layer.gzip: it cannot be unpacked: unexpected end of file']);
  writeFileSync(site.file(cut.digest), 'no gzip at all');
  const codes = (await validateLayout(site.root)).faults.map(({ code }) => code);
  t.deepEqual(codes, ['layer.gzip', 'blob.size', 'blob.digest']);
  const stored = site.blob(whole, `${LAYER}+gzip`);
  site.index([site.imageOf([stored], [stored.digest])]);
  t.regex(told(await validateLayout(site.root)).join(), /^config\.diff-id: layer 1 has the diffID sha256:/);
});

test('behind documents that are not of their form, and not of their digest, everything is judged all the same', async (t) => {
  const site = await siteOf(t);
  const config = {
    created: 'yesterday',
    os: undefined,
    history: [],
    rootfs: { type: 'x', diff_ids: [digestOf(rawTar(B))] },
  };
  const image = site.image([[{ name: '/abs' }], A], config, { schemaVersion: 1, annotations: { a: 1 } });
  site.index([named(image, 'a'), { mediaType: 'nonsense' }], { schemaVersion: 3 });
  writeFileSync(site.file(image.digest), ` ${readFileSync(site.file(image.digest), 'utf8')}`);
  for (const verdict of [await validateLayout(site.root), await validateImage(site.root, 'a')]) {
    const all = told(verdict);
    for (const expected of [
      /^document\.form: schemaVersion: /m,
      /^document\.form: manifests\[1\]/m,
      /^blob\.size/m,
      /^blob\.digest/m,
      /^document\.form: annotations\.a: /m,
      /^layer\.absolute/m,
      /^document\.form: created: /m,
      /^document\.form: os: /m,
      /^document\.form: rootfs\.type: /m,
      /^config\.diff-ids: it has 1 diffIDs for 2 layers/m,
      /^config\.diff-id: layer 1 /m,
      /^config\.history: its history tells of 0 layers/m,
    ]) {
      t.regex(all.join('\n'), expected);
    }
  }
});

interface Case {
  readonly what: string;
  make(site: Site): void;
  readonly faults: readonly RegExp[];
}

const add = (site: Site, descriptor: object): void => site.index([descriptor]);
const CASES: readonly Case[] = [
  {
    what: 'a marker of another version',
    make: (site) => writeFileSync(join(site.root, 'oci-layout'), '{"imageLayoutVersion":"9"}'),
    faults: [/^document\.form: imageLayoutVersion: /],
  },
  {
    what: 'an index that is no JSON',
    make: (site) => writeFileSync(join(site.root, 'index.json'), '{'),
    faults: [/^document\.json: it is not JSON/],
  },
  {
    what: 'an index that is no UTF-8',
    make: (site) => writeFileSync(join(site.root, 'index.json'), Buffer.from([0x22, 0xff, 0x22])),
    faults: [/^document\.unreadable/],
  },
  {
    what: 'no index and no blobs',
    make: (site) => {
      rmSync(join(site.root, 'index.json'));
      rmSync(join(site.root, 'blobs'), { recursive: true });
    },
    faults: [/^layout\.blobs/, /^document\.missing/],
  },
  {
    what: 'a blob whose name is no digest',
    make: (site) => writeFileSync(join(site.root, 'blobs/sha256/ABC'), ''),
    faults: [/^layout\.blob-name: 'ABC'/],
  },
  {
    what: 'every fault of a descriptor at once',
    make: (site) => add(site, { mediaType: 'nonsense', digest: 'md5:x', size: -1, annotations: { a: 1 } }),
    faults: [
      /manifests\[0\]\.mediaType: is no media/,
      /\[0\]\.digest: is no sha256/,
      /\[0\]\.size: /,
      /\[0\]\.annotations\.a: /,
    ],
  },
  {
    what: 'two images of one name',
    make: (site) => site.index([named(site.image([A]), 'x'), named(site.image([B]), 'x')]),
    faults: [/^index\.name-twice: two manifests have the name 'x'$/],
  },
  {
    what: 'a descriptor of something else',
    make: (site) => add(site, site.blob({}, 'application/json')),
    faults: [/^index\.media-type: 'application\/json'/],
  },
  {
    what: 'a missing manifest',
    make: (site) => add(site, { mediaType: MANIFEST, digest: `sha256:${'a'.repeat(64)}`, size: 1 }),
    faults: [/^blob\.missing/],
  },
  {
    what: 'a manifest with another size',
    make: (site) => add(site, { ...site.image([A]), size: 5 }),
    faults: [/^blob\.size: it has \d+ bytes, and its descriptor states 5$/],
  },
  {
    what: 'a manifest that was changed',
    make: (site) => {
      const image = site.image([A]);
      add(site, image);
      appendFileSync(site.file(image.digest), ' ');
    },
    faults: [/^blob\.size/, /^blob\.digest: its bytes have the digest sha256:/],
  },
  {
    what: 'a manifest that is of another kind than it says',
    make: (site) => add(site, { ...site.image([A], {}, { mediaType: 'application/x' }) }),
    faults: [/^document\.form: mediaType: /],
  },
  {
    what: 'a config of another kind, without being an artifact',
    make: (site) => {
      const config = site.blob(
        { architecture: 'a', os: 'b', rootfs: { type: 'layers', diff_ids: [digestOf(rawTar(A))] } },
        'a/b',
      );
      add(site, site.image([A], {}, { config }));
    },
    faults: [/^manifest\.config-type: its config is a 'a\/b'/],
  },
  { what: 'no layers', make: (site) => add(site, site.image([])), faults: [/^manifest\.layers: /] },
  {
    what: 'a layer that is not there',
    make: (site) => {
      add(site, site.image([A, B]));
      rmSync(site.file(digestOf(rawTar(B))));
    },
    faults: [/^blob\.missing/],
  },
  {
    what: 'a layer with a bit flipped in a file',
    make: (site) => {
      add(site, site.image([A]));
      const bytes = rawTar(A);
      writeFileSync(site.file(digestOf(bytes)), bytes.fill('b', 512, 513));
    },
    faults: [/^blob\.digest/, /^config\.diff-id/],
  },
  {
    what: 'a layer that is cut',
    make: (site) => {
      add(site, site.image([A]));
      writeFileSync(site.file(digestOf(rawTar(A))), rawTar(A).subarray(0, 700));
    },
    faults: [/^blob\.size/, /^blob\.digest/, /^tar\.truncated/, /^config\.diff-id/],
  },
  {
    what: 'a layer that cannot be read',
    make: (site) => {
      add(site, site.image([A]));
      const file = site.file(digestOf(rawTar(A)));
      rmSync(file);
      mkdirSync(file);
      chmodSync(file, 0o700);
    },
    faults: [/^blob\.unreadable: EISDIR/],
  },
  {
    what: 'a layer of a type that cannot be examined',
    make: (site) => add(site, site.imageOf([site.blob(rawTar(A), `${LAYER}+zstd`)], [digestOf(rawTar(A))])),
    faults: [/^layer\.media-type: /],
  },
  {
    what: 'too few diffIDs and too much history',
    make: (site) =>
      add(
        site,
        site.image([A, B], {
          rootfs: { type: 'layers', diff_ids: [digestOf(rawTar(A))] },
          history: [{}, { empty_layer: true }, {}, {}],
        }),
      ),
    faults: [
      /^config\.diff-ids: it has 1 diffIDs for 2 layers$/,
      /^config\.history: its history tells of 3 layers, and there are 2$/,
    ],
  },
  {
    what: 'every fault of a config at once',
    make: (site) =>
      add(
        site,
        site.image([A], {
          created: 'yesterday',
          architecture: '',
          os: 5,
          config: {
            Env: ['=x'],
            Cmd: 'sh',
            Volumes: { v: {} },
            ExposedPorts: { http: {} },
            WorkingDir: 'here',
            StopSignal: 'TERM!',
            Labels: { a: 1 },
          },
        }),
      ),
    faults: [
      /: created: is no date/,
      /: architecture: /,
      /: os: /,
      /: config\.ExposedPorts\.http: /,
      /: config\.Env\[0\]: is not NAME=value/,
      /: config\.Cmd: /,
      /: config\.Volumes\.v: /,
      /: config\.WorkingDir: /,
      /: config\.Labels\.a: /,
      /: config\.StopSignal: is no signal/,
    ],
  },
  {
    what: 'a whiteout in the first layer, and none of it in the second',
    make: (site) => add(site, site.image([[{ name: '.wh.a' }], [{ name: '.wh.b' }]])),
    faults: [/^layer\.whiteout: '\/\.wh\.a' hides something, and no layer lies below$/],
  },
  {
    what: 'an artifact whose blob is gone',
    make: (site) => {
      const empty = site.blob({}, EMPTY);
      const layer = site.blob(Buffer.from('receipt'), 'a/b');
      add(site, site.blob({ schemaVersion: 2, artifactType: 'x/y', config: empty, layers: [layer] }, MANIFEST));
      rmSync(site.file(layer.digest));
    },
    faults: [/^blob\.missing/],
  },
];
for (const { what, make, faults } of CASES) {
  test(`fault: ${what}`, async (t) => {
    const site = await siteOf(t);
    make(site);
    const found = told(await validateLayout(site.root));
    t.is(found.length, faults.length, found.join('\n'));
    for (const [index, fault] of faults.entries()) t.regex(found[index] ?? '', fault);
  });
}

test('artifacts that describe an image are judged with it', async (t) => {
  const site = await siteOf(t);
  const image = site.image([A]);
  const artifact = site.blob(
    { schemaVersion: 2, artifactType: 'x/y', config: site.blob({}, EMPTY), layers: [], subject: image },
    MANIFEST,
  );
  site.index([named(image, 'one'), named(site.image([B]), 'two'), artifact]);
  t.is((await validateImage(site.root, 'one')).total, 0);
  rmSync(site.file(digestOf(Buffer.from('{}'))));
  t.is((await validateImage(site.root, 'one')).total, 1);
  t.is((await validateImage(site.root, 'two')).total, 0);
});

test('indexes in the index are followed, not for ever', async (t) => {
  const site = await siteOf(t);
  let inner = site.blob({ schemaVersion: 2, manifests: [site.image([[{ name: '/abs' }]])] }, INDEX);
  site.index([inner]);
  t.regex(told(await validateLayout(site.root)).join(), /^layer\.absolute/);
  for (let depth = 0; depth < 5; depth += 1) inner = site.blob({ schemaVersion: 2, manifests: [inner] }, INDEX);
  site.index([inner]);
  t.regex(told(await validateLayout(site.root)).join(), /^index\.nesting/);
});

test('faults without end are counted, and memory is not spent on all', async (t) => {
  const site = await siteOf(t);
  site.index([site.image([Array.from({ length: 2500 }, () => ({ name: 'same' }))])]);
  const { faults, total } = await validateLayout(site.root);
  t.is(faults.length, 1000);
  t.is(total, 2499);
});
