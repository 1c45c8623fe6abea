/** `p2c image inspect`: an image as `podman inspect` shows one. */
import { ExitCode, usageError } from '../errors.ts';
import { hexOf } from '../oci/digest.ts';
import type { Image } from '../oci/image.ts';
import { partsOfName } from '../oci/reference.ts';
import { storeRoot } from '../oci/root.ts';
import { ImageStore } from '../oci/store.ts';
import { jsonText, printable } from '../printable.ts';
import { defineVerb } from './command.ts';

export const verb = defineVerb({
  name: 'image inspect',
  usage: '[options] IMAGE...',
  summary: 'show what an image says of itself, as podman inspect does',
  examples: [
    ['p2c image inspect old:latest', 'all of it, as JSON'],
    ["p2c image inspect --format '{{.Config.Volumes}}' old", 'one part'],
  ],
  options: (parser) =>
    parser.option('format', {
      alias: 'f',
      type: 'string',
      requiresArg: true,
      describe: "print a template: '{{.Id}} {{.Config.User}}'",
    }),
  async run({ format }, words) {
    if (words.length === 0) throw usageError('no image is named', { code: 'usage', hint: "'p2c images' lists them" });
    const store = await ImageStore.open(storeRoot());
    const described = [];
    for (const name of words) {
      const image = await store.find(name);
      described.push(describe(image, await store.namesOf(image)));
    }
    const text =
      format === undefined
        ? jsonText(described, 4)
        : described.map((image) => printable(fill(format, image), { newlines: true })).join('\n');
    process.stdout.write(`${text}\n`);
    return ExitCode.done;
  },
});

function describe(image: Image, names: readonly string[]): Record<string, unknown> {
  const { config } = image;
  const repositories = [...new Set(names.flatMap((name) => partsOfName(name).repository ?? []))];
  return {
    Id: hexOf(image.configDigest),
    Digest: image.digest,
    RepoTags: names,
    RepoDigests: repositories.map((repository) => `${repository}@${image.digest}`),
    Parent: '',
    Comment: config.history?.[0]?.comment ?? '',
    Created: config.created ?? null,
    Config: config.config ?? {},
    Version: '',
    Author: config.author ?? '',
    Architecture: config.architecture,
    Os: config.os,
    Size: image.size,
    VirtualSize: image.size,
    RootFS: { Type: config.rootfs.type, Layers: config.rootfs.diff_ids },
    Labels: config.config?.Labels ?? null,
    Annotations: image.manifest.annotations ?? {},
    ManifestType: image.manifest.mediaType ?? '',
    User: config.config?.User ?? '',
    History: config.history ?? [],
    NamesHistory: names,
  };
}

/** The part of Go's templates that people use here: `{{.A.B}}` and `{{json .A}}`. @throws P2cError `usage` for the rest. */
function fill(format: string, image: Record<string, unknown>): string {
  const rest = format.replace(/\{\{\s*(?:json\s+)?\.[A-Za-z0-9_.]*\s*\}\}/g, '');
  if (/\{\{|\}\}/.test(rest)) {
    throw usageError(`--format '${format}' is more of a template than p2c knows`, {
      code: 'usage',
      hint: "it knows '{{.A.B}}' and '{{json .A}}'; without --format all comes as JSON",
    });
  }
  return format.replace(/\{\{\s*(json\s+)?\.([A-Za-z0-9_.]*)\s*\}\}/g, (_, json: string | undefined, path: string) => {
    const value = path === '' ? image : valueAt(image, path.split('.'));
    return json === undefined && typeof value === 'string' ? value : jsonText(value);
  });
}

function valueAt(image: Record<string, unknown>, path: readonly string[]): unknown {
  let value: unknown = image;
  for (const key of path) {
    const holder: unknown = value;
    if (typeof holder !== 'object' || holder === null || !Object.hasOwn(holder, key)) {
      throw usageError(`images have no '.${path.join('.')}'`, {
        code: 'usage',
        hint: `top-level fields: ${Object.keys(image).join(', ')}`,
      });
    }
    value = Reflect.get(holder, key);
  }
  return value ?? null;
}
