/** The daemon of cron, and what of it is a job: a copy that has the daemon's name and outlives its stop. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { probe } from '../../src/profiles/application.ts';
import { atomsOf } from '../../src/profiles/checks.ts';
import { loadProfile } from '../../src/profiles/load.ts';
import { playground } from '../helpers/fake-application.ts';
import { localSession } from '../helpers/local-session.ts';

for (const [program, daemons, jobs] of [
  // Debian and SUSE; Vixie's.
  ['cron', ['/usr/sbin/cron', 'cron'], ['/usr/sbin/CRON', '/USR/SBIN/CRON', 'CRON']],
  // Red Hat (cronie), Alpine (busybox), Slackware (dcron).
  ['crond', ['/usr/sbin/crond', 'crond'], ['/usr/sbin/CROND', '/USR/SBIN/CROND', 'CROND']],
] as const) {
  test(`${program}: a job that runs is not the daemon`, async (t) => {
    const file = join(playground(t).folder, program);
    copyFileSync('/bin/sleep', file);
    const run = async (argv0: string): Promise<number> => {
      const child: ChildProcess = spawn(file, ['1000'], { argv0, stdio: 'ignore' });
      t.teardown(() => child.kill());
      await once(child, 'spawn');
      return child.pid ?? 0;
    };
    const daemonPids = await Promise.all(daemons.map(run));
    const jobPids = await Promise.all(jobs.map(run));
    const { stop, start } = loadProfile('cron');
    for (const check of [stop[0]?.down, start[0]?.up]) {
      const seen = (await probe(localSession(), 'see', atomsOf(check))).flatMap(({ pids }) => pids);
      t.deepEqual(
        daemonPids.filter((pid) => !seen.includes(pid)),
        [],
      );
      t.deepEqual(
        jobPids.filter((pid) => seen.includes(pid)),
        [],
      );
    }
  });
}
