/** A part as a later process of its run finds it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { digestOfHex } from '../../src/oci/digest.ts';
import { readStoredPart, storedPart } from '../../src/pipeline/captured-part.ts';
import { AnomalyAccount } from '../../src/report/stream-account.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

test('what of a part did not come is fetched again by whoever goes on with the run, with what came in part', async (t) => {
  const folder = await temporaryFolder(t);
  const files = { record: join(folder, 'record'), log: join(folder, 'log'), complaints: join(folder, 'said') };
  const digest = digestOfHex('0'.repeat(64));
  const captured = {
    layer: { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, diffID: digest, size: 1024 },
    log: { file: files.log, complaints: undefined, whiteouts: [] },
    account: new AnomalyAccount(new Set()).close(0),
    again: new Set(['/in/part']),
    lost: new Set(['/lost']),
  };
  await writeFile(files.record, storedPart(captured, { listedAt: 1, suspects: new Set(['/written/through/memory']) }));
  const kept = await readStoredPart(files);
  t.deepEqual([...(kept?.again ?? [])].sort(), ['/in/part', '/lost', '/written/through/memory']);
});
