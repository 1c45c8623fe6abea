/** What was adapted, for people and for programs. */
import type { Adaptation } from '../adapt/adapt.ts';
import { describeSystem } from '../adapt/system.ts';
import { formatCount } from './units.ts';

export interface AdaptationReport {
  /** `el6 (upstart)`; `unknown (…)` got the general recipes only. */
  readonly system: string;
  readonly family: string;
  readonly version: number;
  readonly init: string;
  readonly runlevel: string | null;
  readonly recipes: readonly { readonly recipe: string; readonly files: readonly string[] }[];
  /** What recipes are for, and stays as the server had it. */
  readonly passedOver: readonly { readonly path: string; readonly why: string }[];
}

export function adaptationReport({ system, applied, passedOver }: Adaptation): AdaptationReport {
  return {
    system: describeSystem(system),
    family: system.distribution,
    version: system.version,
    init: system.init,
    runlevel: system.runlevel ?? null,
    recipes: applied,
    passedOver,
  };
}

export function describeAdaptation({ system, family, recipes, passedOver }: AdaptationReport): string[] {
  const files = recipes.reduce((sum, { files: changed }) => sum + changed.length, 0);
  const general = family === 'unknown' ? '; p2c does not know this system: general recipes only' : '';
  return [
    `Adapted     ${system}: ${formatCount(recipes.length, 'recipe')}, ${formatCount(files, 'file')}${general}`,
    ...recipes.map(({ recipe, files: changed }) => `              ${recipe}: ${shown(changed)}`),
    ...(passedOver.length === 0 ? [] : [`Not adapted ${formatCount(passedOver.length, 'path')}:`]),
    ...passedOver.map(({ path, why }) => `              ${path}: ${why}`),
  ];
}

const SHOWN = 4;

function shown(files: readonly string[]): string {
  const more = files.length > SHOWN ? ` and ${files.length - SHOWN} more` : '';
  return `${files.slice(0, SHOWN).join(', ')}${more}`;
}
