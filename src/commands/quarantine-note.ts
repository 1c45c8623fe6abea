/** Tells what a container's quarantine holds back. */
import { printable } from '../printable.ts';
import type { Container } from '../runtime/container.ts';
import { holdsText } from '../runtime/quarantine/quarantine.ts';
import { readHolds } from '../runtime/quarantine/record.ts';

/** On standard error; nothing for a container that is in none. */
export async function tellQuarantine({ folder, definition: { name, network } }: Container): Promise<void> {
  const holds = await readHolds(folder);
  if (holds === undefined) return;
  const held = holds.length === 0 ? 'nothing that acts by itself was found' : `held back: ${holdsText(holds)}`;
  process.stderr.write(
    `p2c: quarantine on the network '${network.networks.join(', ')}', which leads nowhere; ${printable(held)}; p2c release ${name} ends it\n`,
  );
}
