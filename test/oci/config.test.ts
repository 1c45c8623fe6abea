import test from 'ava';
import { P2cError } from '../../src/errors.ts';
import { architectureOf, newConfig } from '../../src/oci/config.ts';
import { digestOfHex } from '../../src/oci/digest.ts';
import type { Layer } from '../../src/oci/layer.ts';
import { MediaType } from '../../src/oci/spec.ts';

const EXPECTED = [
  ['x86_64', { architecture: 'amd64' }],
  ['i686', { architecture: '386' }],
  ['aarch64', { architecture: 'arm64' }],
  ['armv7l', { architecture: 'arm', variant: 'v7' }],
  ['ppc64le', { architecture: 'ppc64le' }],
  ['s390x', { architecture: 's390x' }],
] as const;
for (const [machine, platform] of EXPECTED) {
  test(`${machine} is ${platform.architecture}`, (t) => {
    t.deepEqual(architectureOf(machine), platform);
  });
}

for (const machine of ['vax', '', 'constructor', '__proto__', 'X86_64', 'z'.repeat(10_000)]) {
  test(`no architecture: '${machine.slice(0, 20)}'`, (t) => {
    const error = t.throws(() => architectureOf(machine), { instanceOf: P2cError });
    t.is(error?.code, 'oci.architecture');
    t.true((error?.message.length ?? 0) < 300);
    t.regex(error?.hint ?? '', /x86_64/);
  });
}

function layer(digit: string): Layer {
  const digest = digestOfHex(digit.repeat(64));
  return { mediaType: MediaType.layerTar, digest, diffID: digest, size: 1 };
}

const plain = {
  architecture: 'amd64',
  created: new Date('2026-01-02T03:04:05Z'),
  comment: undefined,
  createdBy: 'p2c migrate lab',
  labels: {},
  command: ['/bin/sh'],
  environment: [],
  volumes: [],
  ports: [],
};

test('each layer has its diffID and one history entry; the comment stands where podman and docker look', (t) => {
  const layers = ['1', '2', '3'].map(layer);
  const { rootfs, history, created, os } = newConfig({ ...plain, layers, comment: 'from the rack' });
  t.deepEqual(rootfs, { type: 'layers', diff_ids: layers.map(({ diffID }) => diffID) });
  t.deepEqual(
    history?.map(({ comment, empty_layer }) => [comment, empty_layer]),
    [
      ['from the rack', undefined],
      [undefined, undefined],
      ['from the rack', undefined],
    ],
  );
  t.deepEqual([created, os], ['2026-01-02T03:04:05.000Z', 'linux']);
  t.true(history?.every((entry) => entry.created === created && entry.created_by === 'p2c migrate lab'));
});

test('without comment, variant, volumes and ports there is no word of them', (t) => {
  const config = newConfig({ ...plain, layers: [layer('1')] });
  t.deepEqual(Object.keys(config).sort(), ['architecture', 'config', 'created', 'history', 'os', 'rootfs']);
  t.deepEqual(Object.keys(config.config ?? {}).sort(), ['Cmd', 'Env', 'Labels']);
  t.false(Object.hasOwn(config.history?.[0] ?? {}, 'comment'));
});

test('what is given is there; of a variable that is given twice, the last', (t) => {
  const given = { environment: ['PATH=/bin', 'A=1', 'PATH=/opt/bin'], volumes: ['/data'], ports: ['80/tcp', '53/udp'] };
  const { config, variant } = newConfig({ ...plain, ...given, variant: 'v7', layers: [layer('1')] });
  t.is(variant, 'v7');
  t.deepEqual(config?.Env, ['PATH=/opt/bin', 'A=1']);
  t.deepEqual(config?.Volumes, { '/data': {} });
  t.deepEqual(config?.ExposedPorts, { '80/tcp': {}, '53/udp': {} });
});
