/** Artifacts that describe an image: manifests whose `subject` it is (image-spec 1.1, manifest.md). */
import type { Descriptor, Manifest } from './spec.ts';
import { MediaType } from './spec.ts';

export interface NewArtifact {
  readonly artifactType: string;
  readonly layers: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>>;
}

/** What an artifact that needs no config has in its place (manifest.md, "Guidance for an Empty Descriptor"). */
export const EMPTY_CONFIG = { mediaType: 'application/vnd.oci.empty.v1+json', document: {} } as const;

export function artifactManifest(artifact: NewArtifact, config: Descriptor, subject: Descriptor): Manifest {
  return {
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    artifactType: artifact.artifactType,
    config,
    layers: [...artifact.layers],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size },
    annotations: { ...artifact.annotations },
  };
}
