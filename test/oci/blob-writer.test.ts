import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import fc from 'fast-check';
import { P2cError } from '../../src/errors.ts';
import { BlobWriter, type FinishedBlob } from '../../src/oci/blob-writer.ts';
import { type Digest, digestOfHex } from '../../src/oci/digest.ts';
import { Layout } from '../../src/oci/layout.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

async function layoutOf(t: ExecutionContext): Promise<Layout> {
  return Layout.open(join(await temporaryFolder(t), 'store'), true);
}

const sha256 = (bytes: Buffer): Digest => digestOfHex(createHash('sha256').update(bytes).digest('hex'));

test('whatever the pieces are, the file holds them in order, and digest and size are theirs', async (t) => {
  const layout = await layoutOf(t);
  const sizes = fc.oneof(fc.nat(3), fc.nat(5000), fc.constantFrom(1024 * 1024, 1024 * 1024 + 1, 3_000_000));
  const shape = fc.array(fc.array(sizes, { maxLength: 8 }), { maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(shape, async (writes) => {
      const pieces = writes.map((write) => write.map((size) => randomBytes(size)));
      const bytes = Buffer.concat(pieces.flat());
      await using blob = await layout.createBlob();
      for (const write of pieces) await blob.write(write);
      const { digest, size } = await blob.commit();
      await layout.published();
      t.is(digest, sha256(bytes));
      t.is(size, bytes.length);
      t.true(readFileSync(layout.blobPath(digest)).equals(bytes));
    }),
    { numRuns: 30 },
  );
});

test('more pieces than one system call takes', async (t) => {
  const layout = await layoutOf(t);
  const pieces = Array.from({ length: 5000 }, (_, index) => Buffer.from([index % 256]));
  await using blob = await layout.createBlob();
  await blob.write(pieces);
  const { digest, size } = await blob.commit();
  await layout.published();
  t.is(size, 5000);
  t.is(digest, sha256(Buffer.concat(pieces)));
});

test('a blob is not visible before it is committed, and nothing stays of one that is not', async (t) => {
  const layout = await layoutOf(t);
  {
    await using blob = await layout.createBlob();
    await blob.write([randomBytes(2_000_000)]);
    t.deepEqual(await layout.blobs(), []);
    t.is(readdirSync(layout.temporary).length, 1);
  }
  t.deepEqual(readdirSync(layout.temporary), []);
  t.deepEqual(await layout.blobs(), []);
});

test('the same content twice is one blob, and both writers are content', async (t) => {
  const layout = await layoutOf(t);
  const commit = async (): Promise<string> => {
    await using blob = await layout.createBlob();
    await blob.write([Buffer.from('same')]);
    return (await blob.commit()).digest;
  };
  const [first, second] = await Promise.all([commit(), commit()]);
  await layout.published();
  t.is(first, second);
  t.deepEqual(await layout.blobs(), [first]);
});

test('blobs can be read by others, as podman run by another user does', async (t) => {
  const layout = await layoutOf(t);
  await using blob = await layout.createBlob();
  const { digest } = await blob.commit();
  await layout.published();
  t.is(statSync(layout.blobPath(digest)).mode & 0o777, 0o644);
});

test('a store whose folder is gone fails with its path, once for each who waits', async (t) => {
  const layout = await layoutOf(t);
  const handed: FinishedBlob[] = [];
  const missing = join(layout.temporary, 'no/such/blob');
  const error = await t.throwsAsync(
    BlobWriter.create(missing, (blob) => handed.push(blob)),
    { instanceOf: P2cError },
  );
  t.is(error?.code, 'store.failed');
  t.true(error?.message.includes(missing));
  t.deepEqual(handed, []);
});

test('that a blob could not be made to last is told to whoever needs it, always', async (t) => {
  const layout = await layoutOf(t);
  await using blob = await layout.createBlob();
  await blob.write([Buffer.from('x')]);
  // A folder where the blob should be: the rename fails.
  mkdirSync(layout.blobPath(sha256(Buffer.from('x'))));
  await blob.commit();
  await t.throwsAsync(layout.published(), { instanceOf: P2cError });
  await t.throwsAsync(layout.published(), { instanceOf: P2cError });
  await layout.settled();
  t.deepEqual(
    readdirSync(layout.temporary).filter((name) => name.startsWith('blob-')),
    [],
  );
});
