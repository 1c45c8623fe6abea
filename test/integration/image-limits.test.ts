/** What an image's labels ask of the machine, as a profile's `limits` wrote them: its containers have it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onEachEngine } from '../helpers/engines.ts';

const ASKED = {
  'io.p2c.run.memory': '268435456',
  'io.p2c.run.shm-size': '33554432',
  'io.p2c.run.cpus': '0.5',
  'io.p2c.run.pids-limit': '77',
  'io.p2c.run.ulimits': 'nofile=500:600 nonsense=1 core=0:0',
};
const LOOK = 'ulimit -n; ulimit -Hn; ulimit -c; df -k /dev/shm | tail -n 1 | tr -s " " | cut -d" " -f2';

onEachEngine('what an image asks for it gets, where nobody says otherwise', async (t, runner) => {
  const p2c = await runner(t, {}, { Labels: ASKED });
  t.is(await p2c.ok('run', '--rm', 'test:latest', 'sh', '-c', LOOK), '500\n600\n0\n32768');
  const said = ['--shm-size', '16m', '--ulimit', 'nofile=70', '--memory', '128m', '--cpus', '1', '--pids-limit', '99'];
  t.is(await p2c.ok('run', '--rm', ...said, 'test:latest', 'sh', '-c', LOOK), '70\n70\n0\n16384');
  const resources = async (...words: string[]) => {
    const id = await p2c.ok('create', ...words, 'test:latest', 'true');
    const bundle = JSON.parse(readFileSync(join(p2c.store.root, 'containers', id, 'config.json'), 'utf8'));
    const { memory, cpu, pids } = bundle.linux.resources;
    return [memory.limit, cpu.quota / cpu.period, pids.limit];
  };
  t.deepEqual(await resources(), [268435456, 0.5, 77]);
  t.deepEqual(await resources(...said), [128 * 1024 ** 2, 1, 99]);
});

onEachEngine(
  'memory that no container starts with is refused before one is made, and its label passed over',
  async (t, runner) => {
    const p2c = await runner(t, {}, { Labels: { 'io.p2c.run.memory': '1024' } });
    const { code, stderr } = await p2c.call('run', '-m', '1k', 'test:latest', 'true');
    t.is(code, 125);
    t.regex(stderr, /--memory '1k' is too little/);
    t.is(await p2c.ok('ps', '-aq'), '');
    const least = t.title.includes('namespaces') ? '16m' : '6m';
    const less = await p2c.call('run', '-m', least === '6m' ? '6291455' : '8m', 'test:latest', 'true');
    t.is(less.code, 125);
    t.regex(less.stderr, new RegExp(`${least} is the least`));
    t.is(await p2c.ok('ps', '-aq'), '');
    t.is(await p2c.ok('run', '--rm', '-m', least, 'test:latest', 'echo', 'well'), 'well');
    t.is(await p2c.ok('run', '--rm', 'test:latest', 'echo', 'well'), 'well');
  },
);

onEachEngine('labels that make no sense are passed over', async (t, runner) => {
  const odd = Object.fromEntries(Object.keys(ASKED).map((key) => [key, '-1e9 $(reboot) nofile=5:4']));
  const p2c = await runner(t, {}, { Labels: odd });
  t.is(await p2c.ok('run', '--rm', 'test:latest', 'sh', '-c', 'ulimit -n; ulimit -Hn'), '1024\n4096');
});
