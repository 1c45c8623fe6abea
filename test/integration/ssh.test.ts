/** Sessions over a real sshd. */
import test from 'ava';
import { connect } from '../../src/ssh/connect.ts';
import { parseTarget } from '../../src/ssh/target.ts';
import { requireRoot } from '../helpers/require.ts';
import { startSshd } from '../helpers/sshd.ts';

test('root logs in with a key and runs a command', async (t) => {
  if (!requireRoot(t)) return;
  const sshd = await startSshd(t);
  const target = parseTarget(`root@127.0.0.1:${sshd.port}`);
  await using session = await connect(target, {
    identities: [sshd.identity],
    knownHostsFiles: [sshd.knownHosts],
    agent: null,
  });
  t.is(session.privilege, 'root');
  const result = await session.run({ purpose: 'speak', script: 'echo hello; echo bye >&2; exit 3' });
  t.is(result.stdout.toString(), 'hello\n');
  t.is(result.stderr, 'bye\n');
  t.is(result.code, 3);
});
