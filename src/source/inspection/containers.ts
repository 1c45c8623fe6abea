/** Containers and virtual machines: those on a server, and whether it is one itself. */
import { type Fact, known } from './fact.ts';
import type { ServerProcess } from './processes.ts';
import type { Answers, Section } from './sections.ts';

export interface Containers {
  /** Engines that run: `docker`, `podman`, `lxc`, `libvirt`… */
  readonly engines: readonly string[];
  /** As an engine lists them: `docker shop (shop:1.2)`. */
  readonly running: readonly string[];
  /** Processes that run in one. */
  readonly processes: number;
  /** Folders that engines keep images and containers in. */
  readonly stores: readonly string[];
}

export const CONTAINER_SECTIONS: readonly Section[] = [
  {
    name: 'docker',
    script: "[ -S /var/run/docker.sock ] && docker ps --format '{{.Names}} ({{.Image}})'",
    maxBytes: 64 * 1024,
  },
  { name: 'lxc', script: 'ls -d /sys/fs/cgroup/lxc/* /sys/fs/cgroup/*/lxc/* /cgroup/lxc/*', maxBytes: 16_384 },
  {
    name: 'stores',
    script:
      'ls -d /var/lib/docker /var/lib/containers/storage /var/lib/containerd /var/lib/lxc /var/lib/lxd /var/lib/libvirt/images /var/lib/machines /var/lib/kubelet /var/snap/lxd',
    maxBytes: 4096,
  },
  {
    name: 'virtual',
    script:
      'for f in /.dockerenv /run/.containerenv /proc/vz/veinfo /proc/xen/capabilities; do [ -e $f ] && echo $f; done; for f in sys_vendor product_name; do cat /sys/class/dmi/id/$f; done; tr "\\0" "\\n" </proc/1/environ | grep ^container=',
    maxBytes: 4096,
  },
  { name: 'hypervisor', script: 'grep -m1 -o hypervisor /proc/cpuinfo; cat /sys/hypervisor/type', maxBytes: 256 },
];

const ENGINES: Readonly<Record<string, string>> = {
  dockerd: 'docker',
  docker: 'docker',
  containerd: 'containerd',
  conmon: 'podman',
  kubelet: 'kubernetes',
  'lxc-start': 'lxc',
  lxd: 'lxd',
  libvirtd: 'libvirt',
  'qemu-kvm': 'qemu',
  'qemu-system-x86': 'qemu',
  'systemd-nspawn': 'systemd-nspawn',
  VBoxHeadless: 'virtualbox',
  'vmware-vmx': 'vmware',
  xend: 'xen',
  xenstored: 'xen',
};

export function readContainers(answers: Answers, processes: Fact<readonly ServerProcess[]>): Fact<Containers> {
  if ('unknown' in processes) return processes;
  const engines = processes.value.flatMap(({ name }) => ENGINES[name] ?? []);
  const running = [
    ...answers.lines('docker').map((line) => `docker ${line}`),
    // podman is not asked: it writes to its own state. Each of its containers has a monitor, called with its name.
    ...processes.value.flatMap(({ name, args }) => {
      const named = name === 'conmon' ? /(?:^| )-n (\S+)(?: |$)/.exec(args)?.[1] : undefined;
      return named === undefined ? [] : [`podman ${named}`];
    }),
    ...answers
      .lines('lxc')
      .flatMap((path) => (/\/lxc\/([^/.]+)$/.exec(path)?.[1] === undefined ? [] : [`lxc ${path.split('/').at(-1)}`])),
  ];
  return known({
    engines: [...new Set(engines)].sort(),
    running: [...new Set(running)],
    processes: processes.value.filter(({ inContainer }) => inContainer).length,
    stores: answers.lines('stores').filter((line) => line.startsWith('/')),
  });
}

/** What the server runs on itself: `VMware Virtual Platform`, `OpenVZ`, `docker`, `bare metal`. */
export function readPlatform(answers: Answers): Fact<string> {
  const lines = answers.lines('virtual');
  if (lines.includes('/proc/vz/veinfo')) return known('OpenVZ');
  const container = lines.find((line) => line.startsWith('container='))?.slice('container='.length);
  if (container !== undefined) return known(`container (${container})`);
  if (lines.includes('/.dockerenv')) return known('container (docker)');
  if (lines.includes('/run/.containerenv')) return known('container (podman)');
  const words = lines.filter((line) => !line.startsWith('/')).join(' ');
  const virtual = /hypervisor|xen/.test(answers.text('hypervisor')) || lines.includes('/proc/xen/capabilities');
  if (words !== '') return known(virtual ? `${words} (virtual)` : words);
  return virtual ? known('virtual machine') : answers.none('no file of the firmware tells');
}
