/** A process that stops applications and then does nothing: to be killed. Its argument is a {@link StopAndWait} as JSON. */
import * as z from 'zod';
import { loadProfile } from '../../src/profiles/load.ts';
import { quiesce } from '../../src/profiles/quiesce.ts';
import { connectToLab } from './lab-session.ts';
import { localSession } from './local-session.ts';

const StopAndWait = z.object({
  profiles: z.array(z.string()),
  leaseMs: z.number(),
  place: z.object({ folders: z.array(z.string()), logFile: z.string() }).optional(),
  /** Where; without it, on this machine. */
  server: z.object({ address: z.string(), port: z.number(), identity: z.string(), knownHosts: z.string() }).optional(),
});
export type StopAndWait = z.infer<typeof StopAndWait>;

const { profiles, leaseMs, place, server } = StopAndWait.parse(JSON.parse(process.argv[2] ?? ''));
const session = server === undefined ? localSession() : await connectToLab(server);
await quiesce(
  session,
  profiles.map((name) => loadProfile(name)),
  { leaseMs, ...(place === undefined ? {} : { place }) },
);
process.stdout.write('stopped\n');
setInterval(() => {}, 1000);
