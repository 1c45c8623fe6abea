import test from 'ava';
import { digestOfHex } from '../../src/oci/digest.ts';
import type { Layer } from '../../src/oci/layer.ts';
import { MediaType } from '../../src/oci/spec.ts';
import { capturedVolumes } from '../../src/pipeline/stages/volumes.ts';
import { byteStringFromText } from '../../src/printable.ts';

function part(digit: string) {
  const digest = digestOfHex(digit.repeat(64));
  const layer: Layer = { mediaType: MediaType.layerTar, digest, diffID: digest, size: 1 };
  return { layer, log: { file: digit, complaints: undefined, whiteouts: [] } };
}

test('a volume has its layers from the first to the last round, and only those since its folder was gone', (t) => {
  const [a, b] = [byteStringFromText('/b/a'), byteStringFromText('/b')];
  const volumes = capturedVolumes([
    { volume: a, captured: part('1') },
    { volume: b, captured: part('2') },
    { volume: a, captured: undefined },
    { volume: b, captured: part('3') },
    { volume: a, captured: part('4') },
  ]);
  t.deepEqual(
    volumes.map(({ path, logs }) => [path, ...logs.map(({ file }) => file)]),
    [
      ['/b', '2', '3'],
      ['/b/a', '4'],
    ],
  );
  t.deepEqual(
    capturedVolumes([
      { volume: a, captured: part('1') },
      { volume: a, captured: undefined },
    ]),
    [],
  );
});
