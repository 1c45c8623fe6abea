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

export function runAtBoot(draft: Draft, { init }: System, script: BootScript): void {
  const path = `${BOOT_SCRIPTS}/${script.name}`;
  draft.write(
    path,
    ['#!/bin/sh', `# Made by p2c: ${script.description}.`, ...script.lines, 'exit 0', ''].join('\n'),
    0o755,
  );
  if (init === 'systemd') systemdUnit(draft, path, script);
  else if (init === 'upstart') upstartJob(draft, path, script);
  // inittab(5): `bootwait` comes after `sysinit` and before the services of a runlevel.
  else if (init === 'sysvinit') draft.edit('/etc/inittab', (text) => addLines(text, [`p2c::bootwait:${path}`]));
}

function systemdUnit(draft: Draft, path: string, { name, description, before }: BootScript): void {
  const unit = `p2c-${name}.service`;
  draft.write(
    `/etc/systemd/system/${unit}`,
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
  draft.link(`/etc/systemd/system/multi-user.target.wants/${unit}`, `../${unit}`);
}

/** init(5) of upstart: whoever is `starting` waits for a task that starts on it. */
function upstartJob(draft: Draft, path: string, { name, description, before }: BootScript): void {
  const events = ['rc', ...before].map((job) => `starting ${job}`);
  draft.write(
    `/etc/init/p2c-${name}.conf`,
    `description "${description} (p2c)"
start on ${events.join(' or ')}
task
exec ${path}
`,
  );
}
