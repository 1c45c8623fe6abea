/**
 * A layout of one image of another layout: whoever is told a name, and not a digest, finds this image there and no other,
 * wherever the name has gone meanwhile. It has the other's blobs, by a link.
 */
import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Digest, hexOf } from './digest.ts';
import { MediaType, REF_NAME } from './spec.ts';

export interface PinnedLayout extends AsyncDisposable {
  readonly root: string;
}

/** @param layout the other's folder. @param digest of the image's manifest. @param name what it is called there. */
export async function pinnedLayout(layout: string, digest: Digest, name: string): Promise<PinnedLayout> {
  const blobs = join(resolve(layout), 'blobs');
  const { size } = await stat(join(blobs, 'sha256', hexOf(digest)));
  const own = { mediaType: MediaType.manifest, digest, size, annotations: { [REF_NAME]: name } };
  const root = await mkdtemp(join(tmpdir(), 'p2c-export-'));
  const remove = (): Promise<void> => rm(root, { recursive: true, force: true });
  try {
    await symlink(blobs, join(root, 'blobs'));
    await writeFile(join(root, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    await writeFile(join(root, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [own] }));
  } catch (error) {
    await remove();
    throw error;
  }
  return { root, [Symbol.asyncDispose]: remove };
}
