import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { profileText } from '../../src/advice/profile-text.ts';
import { propose } from '../../src/advice/proposal.ts';
import { judge } from '../../src/advice/verdict.ts';
import { loadProfileFile } from '../../src/profiles/load.ts';
import type { Profile } from '../../src/profiles/schema.ts';
import { known } from '../../src/source/inspection/fact.ts';
import type { Inspection } from '../../src/source/inspection/inspection.ts';
import { held } from '../helpers/held.ts';
import { ownedProcess, SERVER, situation } from '../helpers/inspection.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

function textOf(inspection: Partial<Inspection>): string {
  const whole = { ...SERVER, ...inspection };
  return profileText(whole, propose(whole, []), judge(situation(inspection)));
}

async function loader(t: ExecutionContext): Promise<(text: string) => Profile> {
  const file = join(await temporaryFolder(t), 'own.yaml');
  return (text) => {
    writeFileSync(file, text);
    return loadProfileFile(file);
  };
}

const redis = (path: string): Partial<Inspection> => ({
  dataDirectories: known([{ application: 'redis', path, from: '/etc/redis/redis.conf' }]),
});

test('a path that a setting says in a roundabout way is a volume by its plain name', async (t) => {
  const load = await loader(t);
  for (const path of ['/srv/x/../data', '/srv//data/', '/srv/./data']) {
    t.deepEqual(load(textOf(redis(path))).volumes, [{ path: '/srv/data', capture: 'image' }], path);
  }
  t.deepEqual(load(textOf(redis('/srv/..'))).volumes, []);
});

test('what a profile cannot say is left out, and that is said', async (t) => {
  const load = await loader(t);
  const text = textOf(redis(`/srv/${'d'.repeat(1500)}`));
  t.deepEqual(load(text).volumes, []);
  t.regex(text, /^# Left out, for a profile cannot say it: the volume$/m);
  t.regex(text, /^# {2}\/srv\/ddd/m);
});

test('a limit of more than a number holds is one that it holds', async (t) => {
  const load = await loader(t);
  const most = 2 ** 64 - 1;
  const limits = [{ pid: 1, limits: { memlock: { soft: most, hard: most }, nofile: { soft: 2048, hard: most } } }];
  t.deepEqual(load(textOf({ limits })).limits, {
    memlock: { soft: Number.MAX_SAFE_INTEGER, hard: Number.MAX_SAFE_INTEGER },
    nofile: { soft: 2048, hard: Number.MAX_SAFE_INTEGER },
  });
});

const word = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('..', '/', '/..', '//', '/a/../..', '\n', '\0', '*', '{{service}}', '# x', '- y', '"', "'", '\ud800'),
  fc.string({ minLength: 1020, maxLength: 1030 }),
);
const path = fc.oneof(
  word,
  fc.array(word, { maxLength: 4 }).map((words) => `/${words.join('/')}`),
);
const limit = fc.oneof(fc.integer({ min: -1 }), fc.constantFrom(2 ** 53, 2 ** 64, 1e22, 0));
const ends = fc.record({ soft: limit, hard: limit });
const port = fc.integer({ min: 0, max: 65_536 });

const hostile: fc.Arbitrary<Partial<Inspection>> = fc
  .record({
    hostname: word,
    release: word,
    names: fc.array(word, { maxLength: 4 }),
    paths: fc.array(path, { maxLength: 4 }),
    ports: fc.array(port, { maxLength: 4 }),
    nofile: ends,
    memlock: ends,
    shm: fc.oneof(fc.nat(), fc.constantFrom(2 ** 53, 2 ** 60)),
  })
  .map(({ hostname, release, names, paths, ports, nofile, memlock, shm }) => ({
    hostname,
    release: { ...SERVER.release, name: release },
    processes: known(names.map((name, at) => ownedProcess(name, { pid: at + 2, unit: name, exe: paths[at] }))),
    services: known(names.map((name) => ({ name, manager: 'systemd' as const, atBoot: true, running: true }))),
    listeners: known(
      ports.map((each, at) => ({
        protocol: 'tcp' as const,
        address: '0.0.0.0',
        port: each,
        owners: names.map((name, index) => ({ name, pid: ((index + at) % names.length) + 2 })),
      })),
    ),
    volumes: SERVER.volumes.flatMap((root) => [root, ...paths.map((mountPoint) => ({ ...root, mountPoint }))]),
    containers: known({ engines: [], running: [], processes: 0, stores: paths }),
    dataDirectories: known(paths.map((each, at) => ({ application: names[at] ?? 'x', path: each, from: each }))),
    limits: [{ pid: 2, limits: { nofile, memlock } }],
    resources: known({ memoryBytes: 1, processors: 1, uptimeSeconds: 1, sharedMemoryBytes: shm, hugePages: 0 }),
  }));

test('whatever a server says of itself, the text is a profile', async (t) => {
  const load = await loader(t);
  held(
    fc.property(hostile, (inspection) => {
      load(textOf(inspection));
    }),
    200,
  );
  t.pass();
});
