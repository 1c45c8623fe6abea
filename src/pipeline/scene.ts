/** What the stages of a migration work with, once the source has been looked at. */
import { join } from 'node:path';
import { ImageStore } from '../oci/store.ts';
import { requireCapturable } from './capturable.ts';
import { accounted, type Memory, rememberSurvey } from './memory.ts';
import type { MigrationRequest } from './request.ts';
import type { Belongings } from './rollback.ts';
import type { Show } from './stage.ts';
import { type Survey, survey } from './survey.ts';
import { WorkFolder } from './work-folder.ts';

/** What surrounds a migration: who looks on, who may interrupt it, what it holds and what it leaves behind. */
export interface Surroundings {
  readonly show: Show;
  readonly signal: AbortSignal;
  readonly held: Belongings;
  readonly memory: Memory;
}

export interface Scene extends Surroundings {
  /** With the profiles that apply. */
  readonly request: MigrationRequest;
  readonly survey: Survey;
  readonly store: ImageStore;
  readonly work: WorkFolder;
}

/**
 * Opens the store, connects and surveys. Nothing has been stopped on the source by then, and there is room for its files.
 * @throws P2cError also where the source's tar will not do, and `store.full`.
 */
export async function setScene(asked: MigrationRequest, surroundings: Surroundings): Promise<Scene> {
  const { show, signal, held, memory } = surroundings;
  const store = held.use(await ImageStore.open(asked.storeRoot, { create: true }));
  const work = held.use(await WorkFolder.create(join(store.root, 'tmp')));
  const surveyed = await survey({ ...asked, connect: accounted(asked.connect, memory) }, show, held, work);
  const request = { ...asked, profiles: surveyed.profiles };
  signal.throwIfAborted();
  requireCapturable(request, surveyed);
  rememberSurvey(memory, surveyed);
  await memory.room(store, surveyed.plan.parts, signal, request.boot !== undefined);
  return { ...surroundings, request, survey: surveyed, store, work };
}
