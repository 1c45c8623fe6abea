/** Accounts for every path of the source, in a receipt that travels with the image. */
import { P2cError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Layer } from '../../oci/layer.ts';
import type { ImageStore } from '../../oci/store.ts';
import { bytesOf, printablePath } from '../../printable.ts';
import { type AccountInput, accountForPaths } from '../../report/receipt/account.ts';
import { type WrittenReceipt, writeReceipt } from '../../report/receipt/write.ts';
import { formatCount } from '../../report/units.ts';
import type { SourceFacts } from '../../source/facts.ts';
import type { MigrationRequest } from '../request.ts';
import type { CapturedVolume } from './volumes.ts';

export interface ReceiptInput extends AccountInput {
  readonly request: MigrationRequest;
  readonly facts: SourceFacts;
  readonly store: ImageStore;
  readonly layers: readonly Layer[];
  readonly volumes: readonly CapturedVolume[];
  readonly started: Date;
}

export function makeReceipt(input: ReceiptInput): Promise<WrittenReceipt> {
  const { request, facts, rules, layers, volumes, started } = input;
  const header = {
    receipt: 1 as const,
    source: `${request.target.user}@${request.target.host}:${request.target.port}`,
    captured: started.toISOString(),
    layers: layers.map(({ digest }) => digest),
    ...(volumes.length === 0 ? {} : { volumes: volumes.map(headerOf) }),
    rules: rules.rules.map(({ id, action, reason }) => ({ id, action, reason })),
    skipped: facts.filesystems
      .filter(({ verdict }) => verdict !== 'included')
      .map(({ mountPoint, type, reason }) => ({ mountPoint: printablePath(mountPoint), type, reason })),
  };
  return writeReceipt(input.store, header, accountForPaths(input));
}

function headerOf({ path, layers }: CapturedVolume): { path: string; layers: Digest[] } {
  return { path: bytesOf(path).toString(), layers: layers.map(({ digest }) => digest) };
}

/** @throws P2cError `capture.unreadable`: before the image has a name, and after the applications run again. */
export function requireRead({ unread }: WrittenReceipt, target: string): void {
  if (unread.count === 0) return;
  const more = unread.count > unread.examples.length ? ` and ${unread.count - unread.examples.length} more` : '';
  const what = `${formatCount(unread.count, 'path')} on ${target} could not be read`;
  throw new P2cError(`${what}: ${unread.examples.join(', ')}${more}`, {
    code: 'capture.unreadable',
    hint: 'mend them there, leave them out with --exclude, or make the image without them: --skip-unreadable',
  });
}

/** The stage's last line. */
export function describeReceipt({ counts }: WrittenReceipt): string {
  const verdicts = Object.entries(counts).filter(([, count]) => count > 0);
  return verdicts.map(([verdict, count]) => `${count.toLocaleString('en-US')} ${verdict}`).join(', ');
}
