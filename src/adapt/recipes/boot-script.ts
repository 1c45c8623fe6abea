/** A script in the image that its init runs before the services that need it. */
import type { Draft } from '../draft.ts';
import { addLines } from '../lines.ts';
import type { System } from '../system.ts';

export interface BootScript {
  readonly name: string;
  readonly description: string;
  /** Services that wait for it. */
  readonly before: readonly string[];
  /** POSIX sh. */
  readonly lines: readonly string[];
}

/** Where the runner finds them too, for an image whose init it does not start. */
const BOOT_SCRIPTS = '/etc/p2c/boot.d';

/** @returns false where a part of it has no place in the image: then nothing is written, and the part is passed over. */
export function runAtBoot(draft: Draft, { init }: System, script: BootScript): boolean {
  const path = `${BOOT_SCRIPTS}/${script.name}`;
  if (!draft.mayWrite(path) || !mayHook(draft, init, script)) return false;
  draft.write(
    path,
    ['#!/bin/sh', `# Made by p2c: ${script.description}.`, ...script.lines, 'exit 0', ''].join('\n'),
    0o755,
  );
  if (init === 'systemd') systemdUnit(draft, path, script);
  else if (init === 'upstart') upstartJob(draft, path, script);
  // inittab(5): `bootwait` comes after `sysinit` and before the services of a runlevel.
  else if (init === 'sysvinit') draft.edit('/etc/inittab', (text) => addLines(text, [`p2c::bootwait:${path}`]));
  return true;
}

/** Where the init finds it. */
function mayHook(draft: Draft, init: System['init'], { name }: BootScript): boolean {
  if (init === 'systemd') return draft.mayWrite(unitPath(name)) && draft.mayLink(wantedPath(name));
  if (init === 'upstart') return draft.mayWrite(jobPath(name));
  return init !== 'sysvinit' || (draft.text('/etc/inittab') !== undefined && draft.mayWrite('/etc/inittab'));
}

function unitPath(name: string): string {
  return `/etc/systemd/system/p2c-${name}.service`;
}

function wantedPath(name: string): string {
  return `/etc/systemd/system/multi-user.target.wants/p2c-${name}.service`;
}

function jobPath(name: string): string {
  return `/etc/init/p2c-${name}.conf`;
}

function systemdUnit(draft: Draft, path: string, { name, description, before }: BootScript): void {
  draft.write(
    unitPath(name),
    `[Unit]
Description=${description} (p2c)
Before=${before.map((service) => `${service}.service`).join(' ')}

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${path}

[Install]
WantedBy=multi-user.target
`,
  );
  draft.link(wantedPath(name), `../p2c-${name}.service`);
}

/** init(5) of upstart: whoever is `starting` waits for a task that starts on it. */
function upstartJob(draft: Draft, path: string, { name, description, before }: BootScript): void {
  const events = ['rc', ...before].map((job) => `starting ${job}`);
  draft.write(
    jobPath(name),
    `description "${description} (p2c)"
start on ${events.join(' or ')}
task
exec ${path}
`,
  );
}
