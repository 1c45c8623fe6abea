/** What containers are to have of a machine: the largest that a profile wants. */
import test from 'ava';
import { limitsOf } from '../../src/profiles/limits.ts';
import { loadProfile } from '../../src/profiles/load.ts';
import { profileSchema } from '../../src/profiles/schema.ts';

const wanting = (limits: object) => profileSchema.parse({ name: 'x', limits });

test('the largest of several profiles counts', (t) => {
  const profiles = [
    wanting({ memory: '1g', shm: '64m', cpus: 0.5, nofile: '1024:4096', memlock: 65536 }),
    wanting({ memory: '512m', shm: '256m', cpus: 2, nofile: 2048, memlock: -1 }),
    wanting({}),
  ];
  t.deepEqual(limitsOf(profiles), {
    memory: 1024 ** 3,
    shmSize: 256 * 1024 ** 2,
    cpus: 2,
    ulimits: 'memlock=-1:-1 nofile=2048:4096',
  });
  t.deepEqual(limitsOf([wanting({})]), { memory: undefined, shmSize: undefined, cpus: undefined, ulimits: undefined });
});

test('each limit of a profile has its word', (t) => {
  const names = ['core', 'fsize', 'memlock', 'nofile', 'nproc', 'stack'];
  const { ulimits } = limitsOf([wanting(Object.fromEntries(names.map((name, index) => [name, index + 1])))]);
  t.deepEqual(
    ulimits?.split(' '),
    names.map((name, index) => `${name}=${index + 1}:${index + 1}`),
  );
  t.is(limitsOf([loadProfile('oracle-db')]).ulimits, 'memlock=-1:-1 nofile=65536:65536 nproc=16384:16384');
});
