/**
 * The JSON documents of a layout as the image-spec v1.1 demands them, for the oracle. Stricter than what the store
 * needs in order to read, and written apart from it, so that a mistake there shows here.
 */
import * as z from 'zod';

/** Annotation that names an image in `index.json` (image-spec, annotations.md). */
export const NAME_ANNOTATION = 'org.opencontainers.image.ref.name';
export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';
export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
export const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';

/** RFC 6838, section 4.2. */
const mediaType = z.string().regex(/^[A-Za-z0-9][\w!#$&^.+-]{0,126}\/[A-Za-z0-9][\w!#$&^.+-]{0,126}$/, {
  error: 'is no media type',
});
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, { error: 'is no sha256 digest' });
const annotations = z.record(z.string().min(1), z.string());
/** RFC 3339, section 5.6. */
const date = z.iso.datetime({ offset: true, error: 'is no date in the form of RFC 3339' });

const descriptor = z.looseObject({
  mediaType,
  digest,
  size: z.int().min(0),
  urls: z.array(z.string()).optional(),
  annotations: annotations.optional(),
  artifactType: mediaType.optional(),
});
export type DescriptorDocument = z.output<typeof descriptor>;

/** image-layout.md, "oci-layout file". */
export const layoutDocument = z.looseObject({ imageLayoutVersion: z.literal('1.0.0') });

/** image-index.md. */
export const indexDocument = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.literal(INDEX_TYPE).optional(),
  manifests: z.array(descriptor),
  subject: descriptor.optional(),
  annotations: annotations.optional(),
});

/** manifest.md. */
export const manifestDocument = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.literal(MANIFEST_TYPE).optional(),
  artifactType: mediaType.optional(),
  config: descriptor,
  layers: z.array(descriptor),
  subject: descriptor.optional(),
  annotations: annotations.optional(),
});
export type ManifestDocument = z.output<typeof manifestDocument>;

const emptyObject = z.strictObject({});

/** config.md, "Properties"; Go's empty values are written as null by some. */
const execution = z.looseObject({
  User: z.string().optional(),
  ExposedPorts: z
    .record(z.string().regex(/^\d{1,5}(-\d{1,5})?(\/(tcp|udp|sctp))?$/, { error: 'is no port' }), emptyObject)
    .nullish(),
  Env: z.array(z.string().regex(/^[^=]+=/, { error: 'is not NAME=value' })).nullish(),
  Entrypoint: z.array(z.string()).nullish(),
  Cmd: z.array(z.string()).nullish(),
  Volumes: z.record(z.string().startsWith('/'), emptyObject).nullish(),
  WorkingDir: z.union([z.literal(''), z.string().startsWith('/')]).optional(),
  Labels: z.record(z.string(), z.string()).nullish(),
  StopSignal: z
    .string()
    .regex(/^(SIG[A-Z]+\d?([+-]\d+)?|\d{1,2})$/, { error: 'is no signal' })
    .optional(),
});

/** config.md. */
export const configDocument = z.looseObject({
  created: date.optional(),
  author: z.string().optional(),
  architecture: z.string().min(1),
  os: z.string().min(1),
  variant: z.string().optional(),
  config: execution.nullish(),
  rootfs: z.looseObject({ type: z.literal('layers'), diff_ids: z.array(digest) }),
  history: z
    .array(
      z.looseObject({
        created: date.optional(),
        author: z.string().optional(),
        created_by: z.string().optional(),
        comment: z.string().optional(),
        empty_layer: z.boolean().optional(),
      }),
    )
    .optional(),
});

/**
 * The documents once more, for one that is not of its form: what leads on to others, however the rest is. Its faults are
 * told; what lies behind it has faults of its own.
 */
export const indexLinks = indexDocument.extend({
  schemaVersion: z.literal(2).catch(2),
  mediaType: z.literal(INDEX_TYPE).optional().catch(undefined),
  manifests: z.array(z.unknown()).transform((items) => items.flatMap((item) => descriptor.safeParse(item).data ?? [])),
  subject: descriptor.optional().catch(undefined),
  annotations: annotations.optional().catch(undefined),
});

export const manifestLinks = manifestDocument.extend({
  schemaVersion: z.literal(2).catch(2),
  mediaType: z.literal(MANIFEST_TYPE).optional().catch(undefined),
  artifactType: mediaType.optional().catch(undefined),
  subject: descriptor.optional().catch(undefined),
  annotations: annotations.optional().catch(undefined),
});

export const configLinks = z.looseObject({
  rootfs: z.looseObject({ diff_ids: z.array(digest) }),
  history: z
    .array(z.looseObject({ empty_layer: z.boolean().optional().catch(undefined) }))
    .optional()
    .catch(undefined),
});
