import type { Draft } from '../draft.ts';
import { addLines, assign, commentOut } from '../lines.ts';
import { always, type Recipe } from '../recipe.ts';

/**
 * The runner brings the container's interfaces up with the addresses it gave. A clone that configures the old server's
 * own addresses, or asks for them by DHCP, takes them from it (interfaces(5), sysconfig.txt of initscripts, ifcfg(5),
 * netplan(5), systemd.network(5), dhcpcd.conf(5)).
 */
export const network: Recipe = {
  name: 'network',
  summary: "leaves the network to the runner: no address of the old server's, no DHCP",
  appliesTo: always,
  apply: (draft) => {
    debian(draft);
    dhcpcd(draft);
    sysconfig(draft);
    for (const path of draft.matching('/etc/netplan', /\.yaml$/)) draft.edit(path, comment);
    for (const path of draft.matching('/etc/systemd/network', /\.(?:network|netdev|link)$/)) {
      draft.edit(path, (text) => (path.endsWith('.netdev') ? comment(text) : matchingNone(text, path)));
    }
    for (const path of draft.matching('/etc/NetworkManager/system-connections', /^[^.]/)) {
      draft.edit(path, (text) => (isNeutral(text) ? text : withoutAutoconnect(text)));
    }
  },
};

const LOOPBACK = ['auto lo', 'iface lo inet loopback'];

function debian(draft: Draft): void {
  draft.edit('/etc/network/interfaces', (text) => {
    const isLoopback = (line: string): boolean => LOOPBACK.includes(line.trim());
    return addLines(
      commentOut(text, (line) => !isLoopback(line)),
      LOOPBACK,
    );
  });
  for (const path of draft.matching('/etc/network/interfaces.d', /^[\w-]+(?:\.cfg)?$/)) draft.edit(path, comment);
}

const NO_INTERFACE = 'denyinterfaces *';

/** dhcpcd.conf(5): it gives interfaces addresses, static ones too, and asks for others by DHCP, unless it may have none. */
function dhcpcd(draft: Draft): void {
  draft.edit('/etc/dhcpcd.conf', (text) =>
    addLines(
      commentOut(text, (line) => line !== NO_INTERFACE),
      [NO_INTERFACE],
    ),
  );
}

/** EL's ONBOOT, and SUSE's STARTMODE. */
function sysconfig(draft: Draft): void {
  for (const path of draft.matching('/etc/sysconfig/network-scripts', /^ifcfg-(?!lo$)[\w.:-]+$/)) {
    draft.edit(path, (text) => assign(text, 'ONBOOT', 'no'));
  }
  for (const path of draft.matching('/etc/sysconfig/network', /^ifcfg-(?!lo$)[\w.:-]+$/)) {
    draft.edit(path, (text) => assign(text, 'STARTMODE', "'off'"));
  }
}

function comment(text: string): string {
  return commentOut(text, () => true);
}

/**
 * A file without [Match] is for all interfaces (systemd.network(5) and systemd.link(5) of older releases); one that is empty
 * is for none.
 */
function matchingNone(text: string, path: string): string {
  const match = `[Match]\n${path.endsWith('.link') ? 'OriginalName' : 'Name'}=p2c-none\n`;
  if (text === '' || text.endsWith(match)) return text;
  const commented = comment(text);
  return `${commented}${commented === '' || commented.endsWith('\n') ? '' : '\n'}${match}`;
}

function isNeutral(text: string): boolean {
  return /^autoconnect=false$/m.test(text);
}

/** nm-settings-keyfile(5); what is around a group's name counts for nothing. */
function withoutAutoconnect(text: string): string {
  const others = commentOut(text, (line) => /^\s*autoconnect\s*=/.test(line));
  return others.replace(/^[ \t]*\[connection\][ \t\r]*$/m, (line) => `${line}\nautoconnect=false`);
}
