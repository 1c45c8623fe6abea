/** A process that stops an application and then does nothing: to be killed. Arguments: profile file, folder, log, lease in ms. */
import { loadProfileFile } from '../../src/profiles/load.ts';
import { quiesce } from '../../src/profiles/quiesce.ts';
import { localSession } from './local-session.ts';

const [profile, folder, logFile, lease] = process.argv.slice(2);
if (profile === undefined || folder === undefined || logFile === undefined) throw new Error('three arguments, please');
await quiesce(localSession(), [loadProfileFile(profile)], {
  leaseMs: Number(lease),
  place: { folders: [folder], logFile },
});
process.stdout.write('stopped\n');
setInterval(() => {}, 1000);
