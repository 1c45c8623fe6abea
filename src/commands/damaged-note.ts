/** Says which containers, and which artifacts of images, a verb passes over. */
import type { ImageStore } from '../oci/store.ts';
import { printable } from '../printable.ts';
import { type DamagedContainer, damagedContainers } from '../runtime/damaged.ts';

/** @param layers whether it is the unpacked layers that stay because of them. */
export async function noteDamaged(root: string, layers = false): Promise<void> {
  for (const one of await damagedContainers(root)) {
    process.stderr.write(`p2c: the container ${nameOf(one)} is damaged and passed over: ${printable(one.error)}\n`);
    if (layers && one.layersUnknown)
      process.stderr.write('  it is unknown which unpacked layers it needs: all stay for as long as it is there\n');
    process.stderr.write(`  hint: 'p2c rm -f ${nameOf(one)}' removes it\n`);
  }
}

/** Receipts and volumes: where it is not known whose they were, they may be those of the image that is asked for. */
export async function noteDamagedArtifacts(store: ImageStore): Promise<void> {
  for (const { digest, type, subject, error } of await store.damagedArtifacts()) {
    const whose = subject === undefined ? 'it is not known of which image' : `of the image ${subject}`;
    const what = `an artifact (${printable(type)}, ${whose}) is passed over`;
    process.stderr.write(`p2c: ${what}: ${printable(error.message)}\n`);
    process.stderr.write(`  hint: 'p2c image rm ${digest}' removes it\n`);
  }
}

function nameOf({ name, id }: DamagedContainer): string {
  return name ?? id.slice(0, 12);
}
