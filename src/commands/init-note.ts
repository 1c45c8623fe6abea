/** Tells what boots in a container where the user did not say it. */
import { printable } from '../printable.ts';
import type { Container } from '../runtime/container.ts';
import type { InitWish } from '../runtime/init/boot.ts';

/** On standard error; nothing for a command, which is what every runner starts. */
export function tellInit({ definition: { init } }: Container, wish: InitWish): void {
  if (wish !== 'auto' || init.mode === 'none') return;
  const what = init.mode === 'system' ? "boots the image's own init" : "starts the image's applications";
  process.stderr.write(`p2c: ${what}: ${printable(init.why)}; --init says otherwise\n`);
}
