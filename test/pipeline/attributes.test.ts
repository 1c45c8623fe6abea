import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { type BesideStream, readAttributes } from '../../src/pipeline/stages/attributes.ts';
import { type ByteString, byteStringFromText } from '../../src/printable.ts';
import { gatherFacts } from '../../src/source/facts.ts';
import { localSession } from '../helpers/local-session.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

/** Of a server whose tar carries no attributes. @param script what its find does. */
async function read(t: ExecutionContext, script: string): Promise<BesideStream> {
  const [tree, bin] = [await temporaryFolder(t), await temporaryFolder(t)];
  const facts = await gatherFacts(localSession());
  const { tools } = facts;
  writeFileSync(join(bin, 'find'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return readAttributes({
    session: localSession({ path: bin }),
    facts: { ...facts, tools: { ...tools, tar: { ...tools.tar, xattrs: false }, attributeReaders: ['getfattr'] } },
    starts: [{ path: byteStringFromText(tree), what: 'filesystem' }],
    retries: 0,
    note: () => {},
  });
}

const ONE = "printf '# file: /a\\nuser.x=0x00\\n\\n'";

test('a find that was killed half way has not read all attributes', async (t) => {
  // A line that was cut in two is none that is not understood.
  const error = await t.throwsAsync(read(t, `${ONE}; printf '# fi'; echo Killed >&2; exit 137`), {
    code: 'source.attributes',
    message: /^read the extended attributes below .* on root@localhost failed: it ended with exit code 137$/,
  });
  t.regex(String(error?.cause), /Killed/);
  await t.throwsAsync(read(t, `${ONE}; kill -9 $$`), { code: 'source.attributes' });
});

test('what could not be read of single files is told, and the others have theirs', async (t) => {
  const { attributes, problems } = await read(
    t,
    `${ONE}; seq 9999 | sed 's,.*,getfattr: /gone/&: No such file or directory,' >&2
echo 'getfattr: /b: Input/output error' >&2
seq 9999 | sed 's,.*,getfattr: /gone/&: No such file or directory,' >&2; exit 1`,
  );
  t.deepEqual(problems, ['getfattr: /b: Input/output error']);
  t.is(attributes.of('/a' as ByteString)?.length, 1);
});

test('a find that says nothing of what went wrong is no complete answer', async (t) => {
  const { problems } = await read(t, `${ONE}; exit 1`);
  t.regex(problems.join(), /^read the extended attributes below .* with getfattr: exit code 1 without a word$/);
});
