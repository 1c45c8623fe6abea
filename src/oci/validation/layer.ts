/** Judges a layer in one pass over its blob: digest, size, diffID and every entry. */
import { createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { messageOf } from '../../errors.ts';
import { BlobReading, checkBlob, placeOf } from './blobs.ts';
import type { DescriptorDocument } from './documents.ts';
import { Faults } from './fault.ts';
import { LayerContents, type LayerPlace } from './layer-contents.ts';
import { TarReader } from './tar-reader.ts';

const PLAIN = 'application/vnd.oci.image.layer.v1.tar';
const GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip';
/** Deprecated by the image-spec, and still read by all. */
const NONDISTRIBUTABLE = '.nondistributable.v1.';

export interface ExaminedLayer {
  /** Of the uncompressed bytes; undefined where they could not be read. */
  readonly diffID: string | undefined;
  readonly entries: number;
  /** Uncompressed bytes. */
  readonly bytes: number;
}

export async function examineLayer(
  root: string,
  descriptor: DescriptorDocument,
  place: LayerPlace,
  faults: Faults,
): Promise<ExaminedLayer> {
  const where = placeOf('layer', descriptor.digest);
  const mediaType = descriptor.mediaType.replace(NONDISTRIBUTABLE, '.v1.');
  if (mediaType !== PLAIN && mediaType !== GZIP) {
    faults.add('layer.media-type', where, `layers of the type '${descriptor.mediaType}' cannot be examined`);
    await checkBlob(root, descriptor, where, faults);
    return { diffID: undefined, entries: 0, bytes: 0 };
  }
  return mediaType === PLAIN
    ? examinePlain(root, descriptor, place, where, faults)
    : examineGzip(root, descriptor, place, where, faults);
}

async function examinePlain(
  root: string,
  descriptor: DescriptorDocument,
  place: LayerPlace,
  where: string,
  faults: Faults,
): Promise<ExaminedLayer> {
  const archive = new Archive(place, where, faults);
  const reading = new BlobReading(root, descriptor, where, faults);
  for await (const chunk of reading.chunks()) archive.push(chunk);
  // Of a blob that is not there, nothing else needs to be said.
  if (reading.digest !== undefined) archive.end();
  return { diffID: reading.digest, entries: archive.entries, bytes: archive.bytes };
}

async function examineGzip(
  root: string,
  descriptor: DescriptorDocument,
  place: LayerPlace,
  where: string,
  faults: Faults,
): Promise<ExaminedLayer> {
  const archive = new Archive(place, where, faults);
  const ofBlob = new Faults();
  const reading = new BlobReading(root, descriptor, where, ofBlob);
  const hash = createHash('sha256');
  let diffID: string | undefined;
  try {
    await pipeline(reading.chunks(), createGunzip(), async (source: AsyncIterable<Buffer>) => {
      for await (const chunk of source) {
        hash.update(chunk);
        archive.push(chunk);
      }
    });
    if (reading.digest !== undefined) {
      archive.end();
      diffID = `sha256:${hash.digest('hex')}`;
    }
  } catch (error) {
    faults.add('layer.gzip', where, `it cannot be unpacked: ${messageOf(error)}`);
  }
  // The reading stops where the unpacking does.
  if (reading.digest === undefined) await checkBlob(root, descriptor, where, faults);
  else for (const { code, message } of ofBlob.kept) faults.add(code, where, message);
  return { diffID, entries: archive.entries, bytes: archive.bytes };
}

/** The uncompressed bytes, parsed and judged. */
class Archive {
  readonly #reader: TarReader;
  readonly #contents: LayerContents;
  #bytes = 0;

  constructor(place: LayerPlace, where: string, faults: Faults) {
    this.#contents = new LayerContents(place, (code, message) => faults.add(code, where, message));
    this.#reader = new TarReader((code, offset, message) => faults.add(code, where, `${message} (at byte ${offset})`));
  }

  get entries(): number {
    return this.#contents.entries;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(chunk: Buffer): void {
    this.#bytes += chunk.length;
    for (const entry of this.#reader.push(chunk)) this.#contents.add(entry);
  }

  end(): void {
    this.#reader.end();
    this.#contents.end();
  }
}
