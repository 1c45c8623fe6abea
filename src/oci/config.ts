/** Makes an image's config (OCI image-spec, config.md). */
import { P2cError } from '../errors.ts';
import { lastOfEachName } from './environment.ts';
import type { Layer } from './layer.ts';
import type { ImageConfig } from './spec.ts';

export interface Platform {
  readonly architecture: string;
  readonly variant?: string;
}

/** What `uname -m` says, in Go's words (GOARCH, GOARM), which the image-spec uses. */
const PLATFORMS: Readonly<Record<string, Platform>> = {
  x86_64: { architecture: 'amd64' },
  amd64: { architecture: 'amd64' },
  i386: { architecture: '386' },
  i486: { architecture: '386' },
  i586: { architecture: '386' },
  i686: { architecture: '386' },
  aarch64: { architecture: 'arm64' },
  arm64: { architecture: 'arm64' },
  armv8l: { architecture: 'arm', variant: 'v8' },
  armv7l: { architecture: 'arm', variant: 'v7' },
  armv6l: { architecture: 'arm', variant: 'v6' },
  armv5tel: { architecture: 'arm', variant: 'v5' },
  ppc64le: { architecture: 'ppc64le' },
  ppc64: { architecture: 'ppc64' },
  s390x: { architecture: 's390x' },
  riscv64: { architecture: 'riscv64' },
  loongarch64: { architecture: 'loong64' },
  mips: { architecture: 'mips' },
  mips64: { architecture: 'mips64' },
};

/** @throws P2cError `oci.architecture` for a machine that container images have no word for. */
export function architectureOf(machine: string): Platform {
  const platform = Object.hasOwn(PLATFORMS, machine) ? PLATFORMS[machine] : undefined;
  if (platform !== undefined) return platform;
  throw new P2cError(`the source is a '${machine.slice(0, 100)}', and images have no word for that architecture`, {
    code: 'oci.architecture',
    hint: `known: ${Object.keys(PLATFORMS).join(', ')}`,
  });
}

export interface NewConfig extends Platform {
  readonly created: Date;
  readonly layers: readonly Layer[];
  readonly comment: string | undefined;
  readonly createdBy: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  /** `KEY=value`; of several with one name the last counts. */
  readonly environment: readonly string[];
  readonly volumes: readonly string[];
  /** `80/tcp`. */
  readonly ports: readonly string[];
}

/** One history entry a layer; `podman inspect` reads the comment of the first, `docker inspect` that of the last. */
export function newConfig(input: NewConfig): ImageConfig {
  const { architecture, variant, created, layers, comment, createdBy } = input;
  const at = created.toISOString();
  const history = layers.map((_, index) => ({
    created: at,
    created_by: createdBy,
    ...(comment !== undefined && (index === 0 || index === layers.length - 1) ? { comment } : {}),
  }));
  return {
    created: at,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    os: 'linux',
    config: {
      Env: lastOfEachName(input.environment),
      Cmd: [...input.command],
      Labels: { ...input.labels },
      ...objectOf('Volumes', input.volumes),
      ...objectOf('ExposedPorts', input.ports),
    },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.diffID) },
    history,
  };
}

/** Sets are written as objects with empty values. */
function objectOf(
  key: 'Volumes' | 'ExposedPorts',
  members: readonly string[],
): Record<string, Record<string, Record<string, unknown>>> {
  return members.length === 0 ? {} : { [key]: Object.fromEntries(members.map((member) => [member, {}])) };
}
