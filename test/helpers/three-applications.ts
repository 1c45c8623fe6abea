/** A lab server with nginx, MariaDB and PostgreSQL, looked at from within: also while no connection leads to it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { EVERYTHING } from './everything.ts';
import { eventually } from './fake-application.ts';
import { type LabServer, labServer } from './lab.ts';

const run = promisify(execFile);

const THREE = ['nginx', 'mysql', 'postgresql'] as const;
export const THREE_PROFILES = THREE.flatMap((name) => ['--profile', name]);

/** Each with a question that it answers only while it runs. */
const QUESTIONS = {
  nginx: 'curl -fs -m 5 http://127.0.0.1/ | grep -q Hello',
  mysql: 'test "$(mariadb -N -e \'SELECT 41 + 1\')" = 42',
  postgresql: 'test "$(su postgres -c "psql -tA -c \'SELECT 41 + 1\'")" = 42',
};

export interface ThreeApplications {
  readonly server: LabServer;
  /** Runs a command of root in the server's namespaces, without SSH. */
  inside(command: string): Promise<string>;
  /** Names of those that answer. */
  answering(): Promise<string[]>;
  /** Waits until all three answer and no lease is left. */
  allWell(why: string): Promise<void>;
}

/** Given back with the test. */
export async function threeApplications(t: ExecutionContext, name: string): Promise<ThreeApplications> {
  const server = await labServer(t, name, { packages: EVERYTHING });
  const inside = async (command: string): Promise<string> => {
    const namespaces = ['-t', String(server.pid), '-m', '-p', '-n', '-u', '-i'];
    const environment = [
      'env',
      '-i',
      'HOME=/root',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    ];
    return (await run('nsenter', [...namespaces, '--', ...environment, 'sh', '-c', command])).stdout;
  };
  const answering = async (): Promise<string[]> => {
    const asked = Object.entries(QUESTIONS).map(([key, question]) => `if ${question}; then echo ${key}; fi`);
    return (await inside(`cd /; { ${asked.join('; ')}; } 2>/dev/null`)).trim().split('\n');
  };
  const allWell = async (why: string): Promise<void> => {
    await eventually(t, `${why}: all three answer`, async () => (await answering()).length === THREE.length, 240_000);
    await eventually(
      t,
      `${why}: the lease is gone`,
      async () => !(await inside('ls /run')).includes('p2c.lease'),
      240_000,
    );
  };
  const three = { server, inside, answering, allWell };
  // What else the base has would only take time, and change files while they are read.
  await inside(
    'for name in tomcat10 apache2 named redis-server postfix php8.2-fpm; do service $name stop; done >/dev/null 2>&1 </dev/null',
  );
  await allWell('at first');
  return three;
}
