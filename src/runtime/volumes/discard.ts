/** A container goes with the volumes that were made for it alone. */
import { discard } from '../containers.ts';
import { notedVolumes, removeVolumes } from './volumes.ts';

/** @param container its processes are gone by now. */
export async function discardWithVolumes(
  root: string,
  container: { readonly folder: string; readonly definition: { readonly id: string; readonly name: string } },
): Promise<void> {
  const own = (await notedVolumes(container.folder)).filter(({ anonymous }) => anonymous).map(({ name }) => name);
  await discard(root, container.definition);
  if (own.length > 0) await removeVolumes(root, ({ name, anonymous }) => anonymous && own.includes(name));
}
