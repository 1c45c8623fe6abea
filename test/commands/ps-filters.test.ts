import test from 'ava';
import { parseFilters } from '../../src/commands/ps-filters.ts';
import { P2cError } from '../../src/errors.ts';
import type { ContainerRecord } from '../../src/runtime/list.ts';

function record(name: string, status: ContainerRecord['status']): ContainerRecord {
  const nothing = { started: undefined, finished: undefined, exitCode: undefined, pid: undefined, error: undefined };
  const image = { image: 'shop:latest', imageDigest: 'sha256:0', command: ['sh'], networks: [], ports: [] };
  return { ...nothing, ...image, id: `ab${name}`, name, created: '2026-01-01T00:00:00Z', status };
}

const ALL = [record('web', 'running'), record('web2', 'exited'), record('db.1', 'created')];

function found(...filters: string[]): string[] {
  return ALL.filter(parseFilters(filters)).map(({ name }) => name);
}

test('a name is a pattern that fits somewhere', (t) => {
  t.deepEqual(found('name=web'), ['web', 'web2']);
  t.deepEqual(found('name=^web$'), ['web']);
  t.deepEqual(found('name=/db.1'), ['db.1']);
  t.deepEqual(found('name=^(?:web|db).*[12]$'), ['web2', 'db.1']);
});

test('of one key any value, of several all', (t) => {
  t.deepEqual(found('status=exited', 'status=created'), ['web2', 'db.1']);
  t.deepEqual(found('name=^web$', 'name=db', 'status=created', 'status=exited'), ['db.1']);
  t.deepEqual(found('id=abw', 'id=abd', 'ancestor=shop', 'ancestor=other'), ['web', 'web2', 'db.1']);
  t.deepEqual(found(), ['web', 'web2', 'db.1']);
});

test('what is no filter is said, and a pattern that never ends is ended', (t) => {
  const why = (filter: string): string =>
    t.throws(() => parseFilters([filter])(record('a'.repeat(128), 'exited')), { instanceOf: P2cError })?.message ?? '';
  t.regex(why('name=('), /no regular expression/);
  t.regex(why('name=^(([a-z])+.)+[A-Z]([a-z])+$'), /takes too long/);
  t.regex(why('status=foo'), /no such status/);
  for (const unknown of ['constructor=x', 'label=x', 'web']) t.regex(why(unknown), /is not known/);
});
