/** A container in the form of `podman inspect`, as far as p2c knows the same. */
import { join } from 'node:path';
import { type Container, readBundle, readState, type State } from '../runtime/container.ts';
import { networkSettings } from '../runtime/network/settings.ts';
import type { Bundle } from '../runtime/spec.ts';
import { notedVolumes } from '../runtime/volumes/volumes.ts';

/** podman's word for what has no time yet. */
const NEVER = '0001-01-01T00:00:00Z';

export async function containerDetails({ folder, definition }: Container) {
  const bundle = await readBundle(folder);
  const state = await readState(folder);
  return {
    Id: definition.id,
    Created: definition.created,
    Name: definition.name,
    Image: definition.image.digest,
    ImageName: definition.image.name,
    Path: bundle.process.args[0] ?? '',
    Args: bundle.process.args.slice(1),
    State: stateOf(state),
    RestartCount: state.restarts,
    OCIRuntime: definition.engine,
    LogPath: join(folder, 'log'),
    BundlePath: folder,
    UpperPath: join(folder, 'upper'),
    Mounts: await mountsOf(folder, bundle),
    NetworkSettings: await networkOf(folder),
    Config: {
      Hostname: bundle.hostname,
      User: `${bundle.process.user.uid}:${bundle.process.user.gid}`,
      Tty: bundle.process.terminal,
      OpenStdin: definition.interactive,
      Env: bundle.process.env,
      Cmd: bundle.process.args,
      WorkingDir: bundle.process.cwd,
      StopSignal: definition.stopSignal,
      StopTimeout: definition.stopTimeout,
    },
    HostConfig: {
      AutoRemove: definition.autoRemove,
      Privileged: definition.privileged,
      RestartPolicy: { Name: definition.restart.name, MaximumRetryCount: definition.restart.retries ?? 0 },
      NetworkMode: definition.network.mode,
      LogConfig: { Type: 'p2c', Size: definition.logMaxSize ?? 0 },
    },
  };
}

function stateOf(state: State) {
  const isRunning = state.status === 'running';
  return {
    Status: state.status,
    Running: isRunning,
    Restarting: state.status === 'restarting',
    Pid: isRunning ? (state.init?.pid ?? 0) : 0,
    MonitorPid: state.status === 'created' || state.status === 'exited' ? 0 : (state.monitor?.pid ?? 0),
    // Of one whose monitor was killed nobody saw it.
    ExitCode: isRunning || state.status === 'created' ? 0 : (state.exitCode ?? -1),
    Error: state.error ?? '',
    StartedAt: state.started ?? NEVER,
    FinishedAt: state.finished ?? NEVER,
  };
}

async function mountsOf(folder: string, bundle: Bundle) {
  const named = await notedVolumes(folder);
  return bundle.mounts
    .filter(({ source, type }) => type === 'bind' && !source.startsWith(`${folder}/`))
    .map(({ destination, source, options }) => {
      const volume = named.find((one) => source.endsWith(`/${one.name}/_data`));
      return {
        Type: volume === undefined ? 'bind' : 'volume',
        Name: volume?.name ?? '',
        Source: source,
        Destination: destination,
        RW: !options.includes('ro'),
      };
    });
}

async function networkOf(folder: string) {
  const { networks, ports } = await networkSettings(folder);
  const doors: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { containerPort, protocol, hostIP, hostPort } of ports) {
    doors[`${containerPort}/${protocol}`] ??= [];
    doors[`${containerPort}/${protocol}`]?.push({ HostIp: hostIP ?? '', HostPort: String(hostPort) });
  }
  const entries = networks.map(({ name, id, address, prefix, gateway, mac }) => {
    return [
      name,
      { NetworkID: id, IPAddress: address, IPPrefixLen: prefix, Gateway: gateway, MacAddress: mac },
    ] as const;
  });
  return {
    IPAddress: networks[0]?.address ?? '',
    IPPrefixLen: networks[0]?.prefix ?? 0,
    Gateway: networks[0]?.gateway ?? '',
    MacAddress: networks[0]?.mac ?? '',
    Networks: Object.fromEntries(entries),
    Ports: doors,
  };
}
