import test from 'ava';
import { P2cError } from '../../src/errors.ts';
import { parseDestination, registryDestination } from '../../src/oci/destination.ts';

const OLD = 'old:1';

for (const [text, address, file, layout] of [
  ['oci-archive:/srv/old.tar', 'oci-archive:/srv/old.tar:old:1', '/srv/old.tar'],
  ['docker-archive:old.tar:shop/old:2', 'docker-archive:old.tar:shop/old:2', 'old.tar'],
  ['oci:/srv/layout', 'oci:/srv/layout:old:1', undefined, { folder: '/srv/layout', name: 'old:1' }],
  ['oci:/srv/layout:other', 'oci:/srv/layout:other', undefined, { folder: '/srv/layout', name: 'other' }],
  ['dir:/srv/files', 'dir:/srv/files', undefined],
  ['docker://registry.example/old', 'docker://registry.example/old', undefined],
  ['podman', 'containers-storage:localhost/old:1', undefined],
  ['docker', 'docker-daemon:old:1', undefined],
] as const) {
  test(`an image goes to ${text}`, (t) => t.deepEqual(parseDestination(text, OLD), { address, file, layout }));
}

test('a name with a registry is podman’s as it is', (t) => {
  const { address } = parseDestination('podman', 'registry.example/old:1');
  t.is(address, 'containers-storage:registry.example/old:1');
});

test('a name that umoci gave stays what it is in layouts, and elsewhere another is asked for', (t) => {
  t.is(parseDestination('oci:/srv/layout', 'Lab').address, 'oci:/srv/layout:Lab');
  t.is(parseDestination('oci-archive:/srv/old.tar', 'v1').address, 'oci-archive:/srv/old.tar:v1');
  t.is(parseDestination('docker-archive:/srv/old.tar:lab:1', 'Lab').address, 'docker-archive:/srv/old.tar:lab:1');
  t.is(registryDestination('registry.example/lab', 'Lab').address, 'docker://registry.example/lab:latest');
  t.is(parseDestination('podman', 'v1').address, 'containers-storage:localhost/v1:latest');
  for (const text of ['podman', 'docker', 'docker-archive:/srv/old.tar']) {
    const error = t.throws(() => parseDestination(text, 'Lab'), { instanceOf: P2cError, code: 'reference.invalid' });
    t.regex(error?.hint ?? '', /NAME:TAG/);
    t.is(error?.exitCode, 2);
  }
});

for (const text of ['', 'old.tar', '/srv/old.tar', 'oci-archive:', 'oci-archive::name', '--help', 'oci:']) {
  test(`'${text}' is no place`, (t) => {
    const error = t.throws(() => parseDestination(text, OLD), { instanceOf: P2cError });
    t.is(error?.code, 'usage');
  });
}

test('a registry is named, or is in the image’s own name', (t) => {
  const to = (name: string | undefined, own = 'old:1') => registryDestination(name, own).address;
  t.is(to('registry.example/shop/old:2'), 'docker://registry.example/shop/old:2');
  t.is(to('docker://127.0.0.1:5000/old'), 'docker://127.0.0.1:5000/old:latest');
  t.is(to(undefined, 'registry.example/shop/old:1'), 'docker://registry.example/shop/old:1');
  for (const none of [undefined, 'old:2', 'shop/old', 'localhost/old']) {
    t.throws(() => to(none), { instanceOf: P2cError, message: /names no registry/ });
  }
  t.throws(() => to('registry.example/Old:1'), { instanceOf: P2cError, code: 'reference.invalid' });
});
