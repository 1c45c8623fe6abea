/**
 * Boots the image that a migration made, and looks in it for what the source was before anything was stopped there. A boot
 * that fails is the report's to tell: the image is there all the same.
 */
import { errorRecord, messageOf, P2cError } from '../../errors.ts';
import type { Image } from '../../oci/image.ts';
import type { Layer } from '../../oci/layer.ts';
import { type Before, lookBefore } from '../../profiles/comparison.ts';
import { type BootReport, summariseBoot } from '../../report/boot-report.ts';
import type { Container } from '../../runtime/container.ts';
import { listContainers } from '../../runtime/containers.ts';
import { createContainer, isHostname } from '../../runtime/create.ts';
import { removeContainer } from '../../runtime/end.ts';
import { chooseEngine } from '../../runtime/engines/choose.ts';
import { startMonitored } from '../../runtime/monitor.ts';
import { holdsText } from '../../runtime/quarantine/quarantine.ts';
import { readHolds } from '../../runtime/quarantine/record.ts';
import { leaving } from '../leavings.ts';
import type { BootRequest } from '../request.ts';
import type { Scene } from '../scene.ts';
import type { Show } from '../stage.ts';
import { Unpacking } from '../unpacking.ts';
import { lookInside } from './look-inside.ts';

export const BOOT = 'Boot the image';

/** What is booted in the end: its layers are unpacked while they arrive. */
export class Booting {
  readonly #wish: BootRequest;
  readonly #scene: Scene;
  readonly #before: Before;
  readonly unpacking: Unpacking;
  /** When the source had sent all. */
  #arrived = performance.now();

  private constructor(wish: BootRequest, scene: Scene, before: Before) {
    this.#wish = wish;
    this.#scene = scene;
    this.#before = before;
    const { store, memory, show, held } = scene;
    this.unpacking = held.use(new Unpacking(store, memory, (line) => show.note(line)));
  }

  /** To be called before anything is stopped on the source. @returns undefined where no boot is wanted. */
  static async prepare(scene: Scene): Promise<Booting | undefined> {
    const { request, survey, memory, store, show } = scene;
    if (request.boot === undefined) return undefined;
    await removeEarlier(store.root, memory.container, show);
    return new Booting(request.boot, scene, await lookBefore(survey.session, survey.profiles));
  }

  /** The last of the source's layers. */
  arrived(deltas: readonly Layer[]): void {
    this.#arrived = performance.now();
    for (const layer of deltas) this.unpacking.add(layer);
    this.unpacking.hurry();
  }

  /** @throws what interrupts it; the container is then taken away again. */
  boot(image: Image): Promise<BootReport> {
    return this.#scene.show.stage(BOOT, () => this.#boot(image), summariseBoot);
  }

  async #boot(image: Image): Promise<BootReport> {
    const { held, signal } = this.#scene;
    const layers = image.manifest.layers.length;
    const unmade = { layers, unpackedEarly: this.unpacking.unpacked, startedAfterMs: null, health: [], ports: [] };
    await this.unpacking.done();
    signal.throwIfAborted();
    const container = await this.#make(image).catch(expected);
    if (container instanceof P2cError) {
      return { ...unmade, outcome: 'failed', container: null, error: errorRecord(container) };
    }
    const { name } = container.definition;
    let stays = false;
    held.defer(leaving(() => (stays ? undefined : `the container ${name} is left: 'p2c rm -f ${name}' removes it`)));
    held.defer(() => (stays ? undefined : this.#takeAway(container, image)));
    const report = await this.#start(container, unmade);
    signal.throwIfAborted();
    stays = true;
    return report;
  }

  async #make(image: Image): Promise<Container> {
    const { store, survey, memory, show } = this.#scene;
    const { options } = this.#wish;
    const { engine } = await chooseEngine(store.root, options.engine);
    const missing = await engine.missing();
    if (missing.length > 0) show.note(`engine ${[engine.name, ...missing].join('; ')}`);
    const { hostname } = survey.facts;
    const named = { ...options, hostname: isHostname(hostname) ? hostname : options.hostname };
    const container = await createContainer(store, image.reference ?? image.digest, named, engine);
    memory.record({ event: 'container-created', container: container.definition.id, name: container.definition.name });
    return container;
  }

  async #takeAway(container: Container, image: Image): Promise<void> {
    const { store, show } = this.#scene;
    await removeContainer(store.root, container, true, { volumes: true });
    show.note(`the container ${container.definition.name} is taken away again; the image ${image.reference} is there`);
  }

  async #start(
    container: Container,
    unmade: Pick<BootReport, 'layers' | 'unpackedEarly' | 'startedAfterMs' | 'health' | 'ports'>,
  ): Promise<BootReport> {
    const { store, survey, signal } = this.#scene;
    const made = { ...unmade, container: await describe(container) };
    const failed = (error: P2cError): BootReport => ({ ...made, outcome: 'failed', error: errorRecord(error) });
    const started = await startMonitored(store.root, container).catch(expected);
    if (started instanceof P2cError) return failed(started);
    const startedAfterMs = performance.now() - this.#arrived;
    const wanted = { before: this.#before, profiles: survey.profiles };
    const { error, ...looked } = await lookInside(store.root, container, wanted, signal);
    if (error !== undefined) return { ...failed(error), ...looked, startedAfterMs };
    return { ...made, ...looked, startedAfterMs, outcome: 'booted', error: null };
  }
}

/** That of a process of this run which was killed before the run was done. */
async function removeEarlier(root: string, id: string | undefined, show: Show): Promise<void> {
  if (id === undefined) return;
  const container = (await listContainers(root)).find(({ definition }) => definition.id === id);
  if (container === undefined) return;
  await removeContainer(root, container, true, { volumes: true });
  show.note(`the container ${container.definition.name}, which was booting when the run was cut off, is removed`);
}

async function describe({ folder, definition }: Container): Promise<NonNullable<BootReport['container']>> {
  const { id, name, init, engine, network } = definition;
  const holds = await readHolds(folder);
  const heldBack = holds === undefined ? null : holdsText(holds);
  return { id, name, init: init.mode, why: init.why, engine, networks: network.networks, heldBack };
}

function expected(error: unknown): P2cError {
  if (error instanceof P2cError) return error;
  throw error instanceof Error ? error : new Error(messageOf(error));
}
