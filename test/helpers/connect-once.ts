/**
 * A process that connects, disposes of the session with commands under way, and should then end by itself. Its argument
 * is a {@link ConnectOnce} as JSON.
 */
import * as z from 'zod';
import { P2cError } from '../../src/errors.ts';
import { connect } from '../../src/ssh/connect.ts';
import { parseTarget } from '../../src/ssh/target.ts';

const ConnectOnce = z.object({ port: z.number(), identity: z.string(), knownHosts: z.string() });
export type ConnectOnce = z.infer<typeof ConnectOnce>;

const { port, identity, knownHosts } = ConnectOnce.parse(JSON.parse(process.argv[2] ?? ''));
const target = parseTarget(`root@127.0.0.1:${port}`);
const session = await connect(target, { identities: [identity], knownHostsFiles: [knownHosts], agent: null });
process.stdout.write((await session.run({ purpose: 'speak', script: 'echo out' })).stdout);
const stream = await session.stream({ purpose: 'pour', script: 'cat /dev/zero' });
const waiting = session.run({ purpose: 'wait', script: 'sleep 5' }).catch((error: unknown) => {
  console.log(`error ${error instanceof P2cError ? error.code : String(error)}`);
});
await stream.stdout[Symbol.asyncIterator]().next();
await session[Symbol.asyncDispose]();
await waiting;
console.log('end');
