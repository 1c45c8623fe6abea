/** Which applications a server has, told from the `detect` of profiles and from what was seen on the server. */
import { keptName } from './checks.ts';
import type { Port } from './scalars.ts';
import type { ProcessName, Profile } from './schema.ts';

/** What was seen. Whatever could not be looked at is empty. */
export interface Evidence {
  readonly processes: readonly {
    /** As the kernel keeps it: up to 15 bytes. */
    readonly name: string;
    readonly args: string;
    readonly exe?: string | undefined;
  }[];
  /** Those of {@link detectPaths} that exist. */
  readonly paths: ReadonlySet<string>;
  /** Names of installed packages, without versions. */
  readonly packages: ReadonlySet<string>;
  /** Names of services that the init system knows, without `.service`. */
  readonly services: ReadonlySet<string>;
  /** Ports that somebody listens on. */
  readonly ports: readonly Port[];
}

export interface Detection {
  readonly profile: Profile;
  /** Each thing that was found, in words: `process nginx`, `package nginx-light`, `port 80/tcp`. */
  readonly reasons: readonly string[];
  /** True where one of its processes was seen: then a capture must stop it. */
  readonly running: boolean;
}

/** Every path that one of the profiles is recognised by. */
export function detectPaths(profiles: readonly Profile[]): string[] {
  return [...new Set(profiles.flatMap(({ detect }) => detect.path))];
}

/** The profiles of which any one thing was found, in the order given. */
export function detectProfiles(profiles: readonly Profile[], evidence: Evidence): Detection[] {
  return profiles.flatMap((profile) => {
    const running = profile.detect.process.filter((wanted) => runs(wanted, evidence));
    const reasons = [...running.map(({ name }) => `process ${name}`), ...traces(profile, evidence)];
    return reasons.length === 0 ? [] : [{ profile, reasons, running: running.length > 0 }];
  });
}

function traces({ detect }: Profile, { services, packages, paths, ports }: Evidence): string[] {
  return [
    ...detect.service.filter((name) => services.has(name)).map((name) => `service ${name}`),
    ...detect.package.filter((name) => packages.has(name)).map((name) => `package ${name}`),
    ...detect.path.filter((path) => paths.has(path)),
    ...detect.port
      .filter((wanted) => ports.some(({ port, protocol }) => port === wanted.port && protocol === wanted.protocol))
      .map(({ port, protocol }) => `port ${port}/${protocol}`),
  ];
}

function runs({ name, argument }: ProcessName, { processes }: Evidence): boolean {
  const { comm, anyEnding } = keptName(name);
  const isNamed = (seen: string): boolean => (anyEnding ? seen.startsWith(comm) : seen === comm);
  return processes.some((seen) => isNamed(seen.name) && (argument === undefined || seen.args.includes(argument)));
}
