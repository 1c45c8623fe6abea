/** Makes the image of the captured layers: config, manifest, and last of all its name in the index. */
import type { Adaptation } from '../../adapt/adapt.ts';
import { withAdaptation } from '../../adapt/image.ts';
import type { NewArtifact } from '../../oci/artifact.ts';
import { bindsLabel } from '../../oci/binds.ts';
import { applyChanges } from '../../oci/change.ts';
import { architectureOf, newConfig } from '../../oci/config.ts';
import type { Image } from '../../oci/image.ts';
import type { Layer } from '../../oci/layer.ts';
import { runLabels } from '../../oci/run-labels.ts';
import { servicesLabel } from '../../oci/services.ts';
import type { ImageStore } from '../../oci/store.ts';
import { volumeArtifact } from '../../oci/volume-artifact.ts';
import { bytesOf } from '../../printable.ts';
import { limitsOf } from '../../profiles/limits.ts';
import { servicesFrom } from '../../profiles/services.ts';
import type { SourceFacts } from '../../source/facts.ts';
import type { MigrationRequest } from '../request.ts';
import { recordedOf, volumePaths } from './recorded.ts';
import type { CapturedVolume } from './volumes.ts';

/** What an image runs when neither a profile nor the user says. */
const DEFAULT_COMMAND = ['/bin/sh'];

export interface ImportInput {
  readonly store: ImageStore;
  readonly request: MigrationRequest;
  readonly facts: SourceFacts;
  /** The lowest first. */
  readonly layers: readonly Layer[];
  readonly started: Date;
  readonly receipt: NewArtifact;
  readonly volumes: readonly CapturedVolume[];
  readonly adaptation: Adaptation | undefined;
}

export async function importImage(input: ImportInput): Promise<Image> {
  const { store, request, facts, layers, started, receipt, volumes, adaptation } = input;
  const config = newConfig({
    ...architectureOf(facts.machine),
    created: started,
    layers,
    comment: request.message,
    createdBy: `p2c migrate ${request.target.name}`,
    labels: labels(request, facts, started),
    command: request.profiles.find((profile) => profile.command !== undefined)?.command ?? DEFAULT_COMMAND,
    environment: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...profileEnvironment(request)],
    volumes: volumePaths(request.profiles),
    ports: request.profiles.flatMap((profile) => profile.ports.map(({ port, protocol }) => `${port}/${protocol}`)),
  });
  const adapted = adaptation === undefined ? config : withAdaptation(config, adaptation, started);
  return store.addImage({
    reference: request.reference,
    layers: adaptation?.layer === undefined ? layers : [...layers, adaptation.layer],
    config: applyChanges(adapted, request.changes),
    artifacts: [receipt, ...volumes.map(({ path, layers }) => volumeArtifact(bytesOf(path).toString(), layers))],
  });
}

function profileEnvironment(request: MigrationRequest): string[] {
  return request.profiles.flatMap((profile) => Object.entries(profile.env).map(([key, value]) => `${key}=${value}`));
}

function labels(request: MigrationRequest, facts: SourceFacts, started: Date): Record<string, string> {
  return {
    'org.opencontainers.image.created': started.toISOString(),
    'org.opencontainers.image.title': facts.hostname,
    'io.p2c.source': `${request.target.user}@${request.target.host}:${request.target.port}`,
    'io.p2c.source.hostname': facts.hostname,
    'io.p2c.source.distribution': facts.distribution,
    'io.p2c.source.kernel': facts.kernel,
    'io.p2c.captured': started.toISOString(),
    ...runLabels({ ...limitsOf(request.profiles) }),
    ...servicesLabel(servicesFrom(request.profiles)),
    ...bindsLabel(recordedOf(request, facts).binds),
    ...(request.profiles.length === 0
      ? {}
      : { 'io.p2c.profiles': request.profiles.map((profile) => profile.name).join(',') }),
  };
}
