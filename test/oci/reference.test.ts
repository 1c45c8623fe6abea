import test from 'ava';
import { P2cError } from '../../src/errors.ts';
import { parseReference } from '../../src/oci/reference.ts';

const VALID: readonly (readonly [text: string, repository: string, tag: string])[] = [
  ['lab', 'lab', 'latest'],
  ['lab:1.0', 'lab', '1.0'],
  ['a/b/c:x_1', 'a/b/c', 'x_1'],
  ['my-app_x.y--z:T.9--1', 'my-app_x.y--z', 'T.9--1'],
  ['localhost/lab', 'localhost/lab', 'latest'],
  ['localhost:5000/lab', 'localhost:5000/lab', 'latest'],
  ['Registry.Example.com:5000/team/lab:v1', 'Registry.Example.com:5000/team/lab', 'v1'],
  [`a:${'t'.repeat(128)}`, 'a', 't'.repeat(128)],
];
for (const [text, repository, tag] of VALID) {
  test(`a name: ${text.slice(0, 40)}`, (t) => {
    t.deepEqual(parseReference(text), { name: `${repository}:${tag}`, repository, tag });
  });
}

const INVALID: readonly (readonly [text: string, why: RegExp])[] = [
  ['', /empty before the tag/],
  [':tag', /empty before the tag/],
  ['Lab', /capital letters/],
  ['a/B', /capital letters/],
  ['a//b', /empty part/],
  ['a/', /empty part/],
  ['/a', /empty part/],
  ['-a', /small letters/],
  ['a___b', /small letters/],
  ['a..b', /small letters/],
  ['a b', /small letters/],
  ['../a', /no registry's address/],
  ['reg_istry.example/a', /no registry's address/],
  ['a.example:port/b', /no registry's address/],
  ['a:', /is no tag/],
  ['a:-x', /is no tag/],
  ['a:b:c', /small letters/],
  [`a:${'t'.repeat(129)}`, /is no tag/],
  ['a'.repeat(256), /256 characters/],
  [`a@sha256:${'0'.repeat(64)}`, /a digest names an image that exists/],
  // Names elsewhere, but not in a layout.
  ...['a__b', 'a---b', 'a:_x', 'a:v1.', 'a:v..1', 'a:v-', '[::1]:5000/lab:v1'].map((text): [string, RegExp] => [
    text,
    /podman, skopeo and umoci could not find it/,
  ]),
  ['a\n', /small letters/],
  ['a:b\n', /is no tag/],
];
for (const [text, why] of INVALID) {
  test(`no name: ${JSON.stringify(text.slice(0, 40))}`, (t) => {
    const error = t.throws(() => parseReference(text), { instanceOf: P2cError, message: why });
    t.is(error?.code, 'reference.invalid');
    t.is(error?.exitCode, 2);
    t.regex(error?.hint ?? '', /NAME:TAG/);
  });
}

test('the remedy for capital letters is a name that is taken', (t) => {
  const error = t.throws(() => parseReference('Old/Server:V1'), { instanceOf: P2cError });
  const example = /'([^']+)'$/.exec(error?.hint ?? '')?.[1] ?? '';
  t.is(parseReference(example).repository, 'old/server');
});

test('a hint is a name', (t) => {
  t.like(
    t.throws(() => parseReference('Old:1.0')),
    { hint: "write NAME:TAG, as in 'old:1.0'" },
  );
  t.like(
    t.throws(() => parseReference('-Old:1.0')),
    { hint: "write NAME:TAG, as in 'old-server:latest'" },
  );
});
