/** Recipes applied to a tree that is given as text, the way of a real image: through a layer, and into one. */
import { posix } from 'node:path';
import type { ExecutionContext } from 'ava';
import { type Applied, applyRecipes } from '../../src/adapt/adapt.ts';
import { Draft, type PassedOver } from '../../src/adapt/draft.ts';
import { adaptImage } from '../../src/adapt/image.ts';
import { ImageTree } from '../../src/adapt/image-tree.ts';
import { interestIn } from '../../src/adapt/of-interest.ts';
import { type Recorded, recordedIn } from '../../src/adapt/recorded.ts';
import { describeSystem, systemOf } from '../../src/adapt/system.ts';
import type { Image } from '../../src/oci/image.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { servicesLabel } from '../../src/oci/services.ts';
import type { ExecutionConfig } from '../../src/oci/spec.ts';
import { ImageStore } from '../../src/oci/store.ts';
import { type RawEntry, rawTar } from './raw-tar.ts';
import { storeWith, type Tree } from './runtime-image.ts';

/** A layer of the tree, with every folder that its files lie in. */
export function layerOf(tree: Tree, more: readonly RawEntry[] = []): Buffer {
  const paths = Object.keys(tree);
  const folders = new Set(paths.flatMap((path) => above(path)));
  const made = [...folders].sort().map((name): RawEntry => ({ name: name === '.' ? './' : `./${name}/`, type: '5' }));
  const files = Object.entries(tree).map(([path, what]): RawEntry => {
    return typeof what === 'string'
      ? { name: `./${path}`, content: what }
      : { name: `./${path}`, type: '2', link: what.link };
  });
  return rawTar([...made, ...files, ...more]);
}

function above(path: string): string[] {
  const folder = posix.dirname(path);
  return folder === '.' ? ['.'] : [...above(folder), folder];
}

export interface Adapted {
  readonly system: string;
  readonly recipes: readonly string[];
  readonly files: readonly string[];
  readonly passedOver: readonly PassedOver[];
  /** The adapted image's root. */
  readonly after: Draft;
  readonly image: Image;
  readonly root: string;
}

/** An image whose applications a script starts where no init does. */
const STARTED: ExecutionConfig = { Labels: servicesLabel([{ name: 'shop', start: [], stop: [] }]) };

/** Adapts an image of these layers, the lowest first, and looks at what came of it. */
export async function adapted(
  t: ExecutionContext,
  layers: readonly Buffer[],
  without: string[] = [],
  execution: ExecutionConfig = STARTED,
): Promise<Adapted> {
  const { root, image } = await storeWith(t, layers, execution);
  return adaptedAgain(root, image, without);
}

/** What all recipes would still change. */
export function appliedAgain(after: Draft, recorded: Recorded = { binds: [], volumes: [], services: true }): Applied[] {
  return applyRecipes(after, { system: systemOf(after), without: [], recorded });
}

export async function adaptedAgain(root: string, image: Image, without: string[] = []): Promise<Adapted> {
  await using store = await ImageStore.open(root);
  const made = await adaptImage(store, image, parseReference('test:adapted'), { without, when: new Date(0) });
  const layers = made.image.manifest.layers.map(({ digest }) => ({ path: store.blobPath(digest) }));
  const tree = await ImageTree.read(layers, interestIn(recordedIn(made.image).binds));
  return {
    system: describeSystem(made.adaptation.system),
    recipes: made.adaptation.applied.map(({ recipe }) => recipe),
    files: made.adaptation.applied.flatMap(({ files }) => files),
    passedOver: made.adaptation.passedOver,
    after: new Draft(tree),
    image: made.image,
    root,
  };
}
