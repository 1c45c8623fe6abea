import type { Recipe } from '../recipe.ts';
import { oneConsole, shutdownWhenAsked } from './upstart-jobs.ts';

/** Jobs for disks, devices, clock, screens and network cards. */
const NOT_HERE =
  /^(?:mountall(?:-\w+)*|udev(?:-\w+)*|udevmonitor|udevtrigger|module-init-tools|kmod|plymouth(?:-\w+)*|tty\d+|hwclock(?:-save)?|setvtrgb|console-setup|console-font|failsafe(?:-\w+)*|networking|network-interface(?:-\w+)*|ureadahead(?:-\w+)*|procps|dmesg|resolvconf|hybrid-gfx|upstart-udev-bridge|friendly-recovery|mounted-(?:dev|tmp|debugfs|proc|varrun|run)|wait-for-state|cryptdisks(?:-\w+)*)\.conf$/;

/**
 * Ubuntu 10.04 to 14.10. Services wait for events that mountall(8) and ifupdown emit (upstart-events(7)); here all is
 * mounted and all interfaces are up before init runs, and one job says so.
 */
export const upstartUbuntu: Recipe = {
  name: 'upstart-ubuntu',
  summary: "gives Ubuntu's upstart the events of disks and network, one console, and a way to shut down",
  appliesTo: ({ distribution, init }) => distribution !== 'el' && init === 'upstart',
  apply: (draft) => {
    for (const path of draft.matching('/etc/init', NOT_HERE)) draft.remove(path);
    draft.write('/etc/init/p2c-ready.conf', READY);
    shutdownWhenAsked(draft);
    oneConsole(draft, '/sbin/getty -8 38400 console');
  },
};

const READY = `# Made by p2c: the runner has mounted all filesystems and brought up all interfaces.
start on startup
task
script
  # Where those of 11.10 and later look for shared memory (initscripts, "RAMSHM").
  [ -e /run/shm ] || ln -s /dev/shm /run/shm || true
  initctl emit --no-wait virtual-filesystems
  initctl emit --no-wait local-filesystems
  initctl emit --no-wait remote-filesystems
  initctl emit --no-wait all-swaps
  initctl emit --no-wait net-device-up IFACE=lo LOGICAL=lo ADDRFAM=inet METHOD=loopback
  initctl emit --no-wait static-network-up
  initctl emit --no-wait filesystem
end script
`;
