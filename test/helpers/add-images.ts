/** Adds images to a store until it is killed, or as often as it is told; names each on standard output once it is made. */
import { randomBytes } from 'node:crypto';
import { newConfig } from '../../src/oci/config.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { MediaType } from '../../src/oci/spec.ts';
import { ImageStore } from '../../src/oci/store.ts';
import { rawTar } from './raw-tar.ts';

const LARGEST = 3 * 1024 * 1024;

async function addImage(root: string, name: string): Promise<void> {
  await using store = await ImageStore.open(root, { create: true });
  await using blob = await store.createBlob();
  const content = randomBytes(Math.ceil(Math.random() * LARGEST)).toString('latin1');
  await blob.write([rawTar([{ name: 'noise', content }])]);
  const { digest, size } = await blob.commit();
  const layers = [{ mediaType: MediaType.layerTar, digest, diffID: digest, size }];
  const config = newConfig({
    architecture: 'amd64',
    created: new Date(),
    layers,
    comment: undefined,
    createdBy: name,
    labels: { digest },
    command: ['/bin/sh'],
    environment: [],
    volumes: [],
    ports: [],
  });
  await store.addImage({ reference: parseReference(name), layers, config });
}

const [root, prefix, times] = process.argv.slice(2);
if (root === undefined || prefix === undefined || times === undefined) throw new Error('add-images ROOT PREFIX TIMES');
for (let number = 0; number < Number(times); number += 1) {
  // Five names, so that images are replaced and collected, too.
  const name = `${prefix}:${number % 5}`;
  await addImage(root, name);
  process.stdout.write(`${name}\n`);
}
