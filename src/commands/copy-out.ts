/**
 * Copies an image out of the store: into another layout itself, and else by skopeo, which knows registries, their logins,
 * and other tools' stores.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ExitCode, P2cError, usageError } from '../errors.ts';
import type { Destination, OwnName } from '../oci/destination.ts';
import type { Image } from '../oci/image.ts';
import { pinnedLayout } from '../oci/pinned-layout.ts';
import { storeRoot } from '../oci/root.ts';
import { ImageStore } from '../oci/store.ts';
import { volumesOf } from '../oci/volume-artifact.ts';
import { jsonText, printable } from '../printable.ts';
import { RECEIPT_TYPE } from '../report/receipt/form.ts';
import { findProgram } from '../runtime/host-program.ts';
import { noteDamagedArtifacts } from './damaged-note.ts';
import { interruptible } from './interrupt.ts';

interface CopyOptions {
  readonly tlsVerify: boolean;
  readonly authfile: string | undefined;
}

interface CopiedOut {
  readonly image: string;
  readonly digest: string;
  readonly destination: string;
  /** Paths captured as volumes beside the image, where they stayed behind. */
  readonly volumesLeft: readonly string[];
  /** Whether the image has a receipt, and that stayed behind. */
  readonly receiptLeft: boolean;
}

/**
 * Copies, and prints what came of it.
 * @returns exit code 3 where a volume stays behind. A receipt that does is told, and no more: every capture has one, and
 * the container lacks nothing.
 */
export async function copyAndTell(
  name: string,
  destinationOf: (own: OwnName) => Destination,
  { json, ...options }: CopyOptions & { readonly json: boolean },
): Promise<ExitCode> {
  const copied = await interruptible((signal) => copyOut(storeRoot(), name, destinationOf, options, signal));
  const left = copied.volumesLeft.map((path) => printable(path));
  if (left.length > 0) {
    const what = left.length === 1 ? 'a volume' : 'volumes';
    process.stderr.write(
      `p2c: not copied: ${left.join(', ')}, captured as ${what} beside the image: skopeo copies the image alone\n`,
    );
  }
  if (copied.receiptLeft) {
    const why = "skopeo copies the image alone, and 'p2c export IMAGE oci:FOLDER' takes the receipt along";
    process.stderr.write(`p2c: not copied: the receipt: ${why}\n`);
  }
  process.stdout.write(`${json ? jsonText(copied) : printable(copied.destination)}\n`);
  return left.length === 0 ? ExitCode.done : ExitCode.blindSpots;
}

/**
 * @param destinationOf is given the image's name.
 * @throws P2cError `image.unknown`; `usage` where the image has no name or the file is there; `export.failed`; `store.…` of
 * this layout and of another.
 */
async function copyOut(
  root: string,
  name: string,
  destinationOf: (own: OwnName) => Destination,
  options: CopyOptions,
  signal: AbortSignal,
): Promise<CopiedOut> {
  const store = await ImageStore.open(root);
  const image = await store.find(name);
  const own = ownName(image, name);
  const { address, file, layout } = destinationOf(own);
  await noteDamagedArtifacts(store);
  const volumes = (await volumesOf(store, image)).map(({ path }) => path);
  const hasReceipt = (await store.artifactsOf(image, RECEIPT_TYPE)).length > 0;
  const copied = { image: own, digest: image.digest, destination: address };
  if (layout !== undefined) {
    await store.copyTo(layout, image, signal);
    return { ...copied, volumesLeft: [], receiptLeft: false };
  }
  if (file !== undefined) requireNew(file);
  const skopeo = findProgram('skopeo', 'skopeo');
  await using _ = await store.read(image);
  await using pinned = await pinnedLayout(root, image.digest, own);
  if (pinned.root.includes(':')) {
    throw usageError(`skopeo cannot name a folder with a colon in its path: ${pinned.root}`, {
      code: 'usage',
      hint: 'TMPDIR names the folder for what is temporary',
    });
  }
  try {
    await runSkopeo(skopeo, ['copy', ...wordsOf(options), `oci:${pinned.root}:${own}`, address], signal);
  } catch (error) {
    // What is there of it is no image.
    if (file !== undefined) await rm(file, { force: true });
    throw error;
  }
  return { ...copied, volumesLeft: volumes, receiptLeft: hasReceipt };
}

/** As it stands in the index: skopeo is to find it. */
function ownName({ reference }: Image, asked: string): OwnName {
  if (reference !== undefined) return reference;
  throw usageError(`'${asked}' has no name, and skopeo finds an image by its name only`, {
    code: 'usage',
    hint: "'p2c image adapt --tag NAME:TAG' makes one with a name",
  });
}

function requireNew(file: string): void {
  if (existsSync(file)) {
    throw usageError(`${file} is there already`, { code: 'usage', hint: 'remove it, or name another file' });
  }
  if (!existsSync(dirname(file))) {
    throw usageError(`there is no folder ${dirname(file)}`, { code: 'usage', hint: 'make it first' });
  }
}

/** p2c's own images come with no signatures: a policy that wants some is about what is fetched. */
function wordsOf({ tlsVerify, authfile }: CopyOptions): string[] {
  const login = authfile === undefined ? [] : ['--dest-authfile', authfile];
  return ['--insecure-policy', ...(tlsVerify ? [] : ['--dest-tls-verify=false']), ...login];
}

/** What it says of its progress goes to standard error: standard output is the result's. */
async function runSkopeo(program: string, words: readonly string[], signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const child = spawn(program, words, { stdio: ['inherit', 2, 2] });
  const end = (): void => void child.kill();
  signal.addEventListener('abort', end, { once: true });
  const [code, killedBy]: (number | string | null)[] = await once(child, 'exit');
  signal.throwIfAborted();
  if (code === 0) return;
  throw new P2cError(`skopeo ended with ${killedBy === null ? `exit code ${code}` : killedBy}`, {
    code: 'export.failed',
    hint: "its last lines say why; for a registry that wants a login: 'skopeo login REGISTRY'",
  });
}
