/** Adapts captured layers: finds out what system they hold, applies the recipes for it, and writes what they changed. */
import { P2cError, usageError } from '../errors.ts';
import type { Layer } from '../oci/layer.ts';
import { type Descriptor, MediaType } from '../oci/spec.ts';
import type { ImageStore } from '../oci/store.ts';
import { type ByteString, printablePath } from '../printable.ts';
import { suggestion } from '../profiles/nearest.ts';
import { HeaderError } from '../tar/header.ts';
import { Draft, type PassedOver } from './draft.ts';
import { ImageTree, type LayerSource } from './image-tree.ts';
import { writeLayer } from './layer.ts';
import { type Interest, interestIn } from './of-interest.ts';
import { RECIPES } from './recipes/index.ts';
import type { Recorded } from './recorded.ts';
import { type System, systemOf } from './system.ts';

export interface Applied {
  readonly recipe: string;
  /** What it changed, as people see paths. */
  readonly files: readonly string[];
}

export interface Adaptation {
  readonly system: System;
  /** Those that changed something. */
  readonly applied: readonly Applied[];
  /** What recipes are for, and could not look at or change. */
  readonly passedOver: readonly PassedOver[];
  /** Undefined where nothing was to be changed. */
  readonly layer: Layer | undefined;
}

export interface LayerToRead extends Pick<Descriptor, 'digest' | 'mediaType'>, Pick<LayerSource, 'places'> {}

/**
 * @param layers of the raw capture, the lowest first.
 * @param without names of recipes that are not to be applied.
 * @param recorded what the image is labelled with.
 * @throws P2cError `adapt.foreign` (usage) for layers that are compressed, `adapt.damaged` for such as are no tar,
 * `adapt.size`.
 */
export async function adaptLayers(
  store: ImageStore,
  layers: readonly LayerToRead[],
  without: readonly string[],
  recorded: Recorded,
): Promise<Adaptation> {
  if (layers.some(({ mediaType }) => mediaType !== MediaType.layerTar)) {
    throw usageError('the image cannot be adapted: its layers are compressed', {
      code: 'adapt.foreign',
      hint: 'images that p2c made can',
    });
  }
  const tree = await readTree(store, layers, interestIn(recorded.binds));
  const draft = new Draft(tree);
  const system = systemOf(draft);
  const applied = applyRecipes(draft, { system, without, recorded });
  return { system, applied, passedOver: draft.passedOver, layer: await writeLayer(store, draft) };
}

async function readTree(store: ImageStore, layers: readonly LayerToRead[], interest: Interest): Promise<ImageTree> {
  try {
    const read = layers.map(({ digest, places }) => ({ path: store.blobPath(digest), places }));
    return await ImageTree.read(read, interest);
  } catch (error) {
    if (!(error instanceof HeaderError)) throw error;
    throw new P2cError(`the image cannot be adapted: of its layers (${layers.length}) one is no sound tar`, {
      code: 'adapt.damaged',
      hint: "'p2c image validate' says which, and at which byte",
      cause: error,
    });
  }
}

export interface ApplyInput {
  readonly system: System;
  readonly without: readonly string[];
  readonly recorded: Recorded;
}

/** Applies every recipe for the system but those left out. */
export function applyRecipes(draft: Draft, { system, without, recorded }: ApplyInput): Applied[] {
  const wanted = RECIPES.filter((recipe) => recipe.appliesTo(system) && !without.includes(recipe.name));
  return wanted.flatMap((recipe) => {
    recipe.apply(draft, system, recorded);
    const files = draft.takeTouched().map((path) => printablePath(path as ByteString));
    return files.length === 0 ? [] : [{ recipe: recipe.name, files }];
  });
}

/** @throws P2cError `adapt.recipe` (usage) for a name that no recipe has. */
export function parseRecipeNames(names: readonly string[]): string[] {
  const known = RECIPES.map(({ name }) => name);
  for (const name of names) {
    if (known.includes(name)) continue;
    throw usageError(`there is no recipe '${name}'${suggestion(name, known)}`, {
      code: 'adapt.recipe',
      hint: `known: ${known.join(', ')}`,
    });
  }
  return [...new Set(names)];
}
