import test from 'ava';
import type { Image } from '../../src/oci/image.ts';
import { commandOf } from '../../src/runtime/command-line.ts';

const digest = `sha256:${'0'.repeat(64)}` as Image['digest'];
const IMAGE: Image = {
  reference: 'test:1',
  digest,
  configDigest: digest,
  manifest: { schemaVersion: 2, config: { mediaType: '', digest, size: 0 }, layers: [] },
  config: {
    architecture: 'amd64',
    os: 'linux',
    config: { Entrypoint: ['/init', '-v'], Cmd: ['serve'] },
    rootfs: { type: 'layers', diff_ids: [] },
  },
  size: 0,
};

test('a command is the image’s, or what is given in its place', (t) => {
  t.deepEqual(commandOf(IMAGE, undefined, []), ['/init', '-v', 'serve']);
  t.deepEqual(commandOf(IMAGE, undefined, ['x']), ['/init', '-v', 'x']);
  t.deepEqual(commandOf(IMAGE, 'sh', []), ['sh']);
  t.deepEqual(commandOf(IMAGE, '', ['sh', '-c', 'x']), ['sh', '-c', 'x']);
  t.throws(() => commandOf(IMAGE, '', []), { message: /names no command/ });
});

test('an entrypoint of several words is a JSON array, and what is none is one word', (t) => {
  t.deepEqual(commandOf(IMAGE, '["sh","-c"]', ['echo $0', 'a b']), ['sh', '-c', 'echo $0', 'a b']);
  t.deepEqual(commandOf(IMAGE, '[]', ['sh']), ['sh']);
  for (const word of ['[', '["sh", 1]', '{"a":"b"}', '"sh"', 'true', '1']) {
    t.deepEqual(commandOf(IMAGE, word, ['x']), [word, 'x']);
  }
});
