import test from 'ava';
import { containersPart } from '../../src/runtime/usage.ts';

test('a container’s cgroup is the whole of it, wherever its PID 1 has gone', (t) => {
  const own = `/p2c-${'a'.repeat(64)}`;
  for (const within of ['', '/init.scope', '/system.slice/nginx.service']) t.is(containersPart(`${own}${within}`), own);
  t.is(containersPart(`${own}/p2c-${'b'.repeat(64)}/init.scope`), `${own}/p2c-${'b'.repeat(64)}`);
  for (const other of ['/', '/user.slice', `${own}0/x`, '/p2c-abc/init.scope']) t.is(containersPart(other), other);
});
