/**
 * Names of images, in the grammar of the distribution project: `[registry[:port]/]path[:tag]`. The name stands in the
 * index as an annotation, whose own grammar is narrower; podman, skopeo and umoci refuse to look for any other.
 */
import { usageError } from '../errors.ts';

export interface Reference {
  /** `repository:tag`, as it is stored. */
  readonly name: string;
  readonly repository: string;
  readonly tag: string;
}

const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const REGISTRY =
  /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::[0-9]+)?$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
/** `ref` of the image-spec, annotations.md, "Pre-Defined Annotation Keys". */
const REF = /^[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*(?:\/[A-Za-z0-9]+(?:(?:[-._:@+]|--)[A-Za-z0-9]+)*)*$/;
/** What images are called by their IDs. */
const ID = /^[0-9a-f]{64}$/;

/** @throws P2cError `reference.invalid` saying which part is wrong. */
export function parseReference(text: string): Reference {
  if (text.includes('@')) throw invalid(text, 'a digest names an image that exists; a new one is given a tag');
  const { repository, tag } = split(text);
  if (repository === '') throw invalid(text, 'it is empty before the tag');
  if (repository.length > 255) throw invalid(text, `its name has ${repository.length} characters, and 255 are allowed`);
  const [first = '', ...rest] = repository.split('/');
  const hasRegistry = rest.length > 0 && (/[.:[]/.test(first) || first === 'localhost');
  if (hasRegistry && !REGISTRY.test(first)) throw invalid(text, `'${first}' is no registry's address`);
  for (const component of hasRegistry ? rest : [first, ...rest]) {
    if (COMPONENT.test(component)) continue;
    if (component === '') throw invalid(text, 'it has an empty part');
    if (/[A-Z]/.test(component)) throw invalid(text, `'${component}' has capital letters`, lowerCased(text));
    throw invalid(text, `'${component}' is not made of small letters and digits, with '.', '_' and '-' between`);
  }
  if (!TAG.test(tag)) throw invalid(text, `'${tag}' is no tag: letters, digits, '_', '.' and '-', 128 at most`);
  if (ID.test(repository)) throw invalid(text, 'a name of 64 hex digits would be taken for an ID');
  const name = `${repository}:${tag}`;
  if (!REF.test(name)) {
    const what = "in a layout, one '.', '_' or '-' (or '--') stands between letters and digits, and none at an end";
    throw invalid(text, `podman, skopeo and umoci could not find it: ${what}`);
  }
  return { name, repository, tag };
}

/** A hint that is no name itself would be worse than none. */
function lowerCased(text: string): string | undefined {
  const { repository, tag } = split(text);
  const example = `${repository.toLowerCase()}:${tag}`;
  try {
    return parseReference(example).name;
  } catch {
    return undefined;
  }
}

/**
 * The parts of a name in an index, whoever wrote it. umoci writes the tag alone, as the image-spec's own example does;
 * then there is no repository.
 */
export function partsOfName(name: string): { repository: string | undefined; tag: string | undefined } {
  const { repository, tag } = split(name);
  if (repository !== name) return { repository, tag };
  return name.includes('/') ? { repository: name, tag: undefined } : { repository: undefined, tag: name };
}

/** The tag follows the last colon, unless that belongs to a registry's port. */
function split(text: string): { repository: string; tag: string } {
  const colon = text.lastIndexOf(':');
  if (colon < 0 || text.indexOf('/', colon) >= 0) return { repository: text, tag: 'latest' };
  return { repository: text.slice(0, colon), tag: text.slice(colon + 1) };
}

function invalid(text: string, what: string, example = 'old-server:latest'): Error {
  return usageError(`'${text.slice(0, 300)}' is no name for an image: ${what}`, {
    code: 'reference.invalid',
    hint: `write NAME:TAG, as in '${example}'`,
  });
}
