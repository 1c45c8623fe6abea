/** The documents of the OCI image-spec v1.1, as far as p2c writes or reads them. Unknown fields pass through. */
import * as z from 'zod';
import { isDigest } from './digest.ts';

export const MediaType = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layerTar: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

/**
 * Docker's forms of manifest and index: crane, oras and skopeo put them into layouts as they came. What they lead on to
 * stands where OCI's have it.
 */
export const DockerType = {
  list: 'application/vnd.docker.distribution.manifest.list.v2+json',
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
} as const;

/** Annotation of a descriptor in the index that gives an image its name (image-spec, annotations.md). */
export const REF_NAME = 'org.opencontainers.image.ref.name';

/**
 * Annotation of an artifact's descriptor in the index: the digest of the manifest that it describes. The artifact says so
 * itself, unless it is damaged: then this tells whose it was.
 */
export const SUBJECT = 'io.p2c.subject';

const digest = z.string().refine(isDigest, { error: 'is no sha256 digest' });
const annotations = z.record(z.string(), z.string());

const descriptorSchema = z.looseObject({
  mediaType: z.string(),
  digest,
  size: z.int().min(0),
  annotations: annotations.optional(),
});
export type Descriptor = z.output<typeof descriptorSchema>;

/** image-layout.md, "oci-layout file". */
export const layoutSchema = z.looseObject({ imageLayoutVersion: z.string().startsWith('1.') });

export const indexSchema = z.looseObject({
  schemaVersion: z.literal(2),
  manifests: z.array(descriptorSchema),
});
export type Index = z.output<typeof indexSchema>;

export const manifestSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  config: descriptorSchema,
  layers: z.array(descriptorSchema),
  subject: descriptorSchema.optional(),
  annotations: annotations.optional(),
});
export type Manifest = z.output<typeof manifestSchema>;

const emptyObjects = z.record(z.string(), z.looseObject({}));

const executionSchema = z.looseObject({
  User: z.string().optional(),
  ExposedPorts: emptyObjects.nullish(),
  Env: z.array(z.string()).nullish(),
  Entrypoint: z.array(z.string()).nullish(),
  Cmd: z.array(z.string()).nullish(),
  Volumes: emptyObjects.nullish(),
  WorkingDir: z.string().optional(),
  Labels: z.record(z.string(), z.string()).nullish(),
  StopSignal: z.string().optional(),
});

/** image-spec, config.md. */
export const imageConfigSchema = z.looseObject({
  created: z.string().optional(),
  author: z.string().optional(),
  architecture: z.string(),
  variant: z.string().optional(),
  os: z.string(),
  config: executionSchema.optional(),
  rootfs: z.looseObject({ type: z.literal('layers'), diff_ids: z.array(digest) }),
  history: z
    .array(
      z.looseObject({
        created: z.string().optional(),
        created_by: z.string().optional(),
        author: z.string().optional(),
        comment: z.string().optional(),
        empty_layer: z.boolean().optional(),
      }),
    )
    .optional(),
});
export type ImageConfig = z.output<typeof imageConfigSchema>;
export type ExecutionConfig = z.output<typeof executionSchema>;
