/** A process that stops applications and then does nothing: to be killed. Its argument is a {@link StopAndWait} as JSON. */
import { z } from 'zod';
import { loadProfile } from '../../src/profiles/load.ts';
import { quiesce } from '../../src/profiles/quiesce.ts';
import { localSession } from './local-session.ts';

const StopAndWait = z.object({
  profiles: z.array(z.string()),
  leaseMs: z.number(),
  place: z.object({ folders: z.array(z.string()), logFile: z.string() }).optional(),
  through: z.array(z.string()).optional(),
});
export type StopAndWait = z.infer<typeof StopAndWait>;

const { profiles, leaseMs, place, through } = StopAndWait.parse(JSON.parse(process.argv[2] ?? ''));
const session = localSession(through === undefined ? {} : { through });
await quiesce(
  session,
  profiles.map((name) => loadProfile(name)),
  { leaseMs, ...(place === undefined ? {} : { place }) },
);
process.stdout.write('stopped\n');
setInterval(() => {}, 1000);
