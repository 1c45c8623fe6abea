/** Accounts for every path of the source, in a receipt that travels with the image. */
import type { Layer } from '../../oci/layer.ts';
import type { ImageStore } from '../../oci/store.ts';
import { printablePath } from '../../printable.ts';
import { type AccountInput, accountForPaths } from '../../report/receipt/account.ts';
import { type WrittenReceipt, writeReceipt } from '../../report/receipt/write.ts';
import type { SourceFacts } from '../../source/facts.ts';
import type { MigrationRequest } from '../request.ts';

export interface ReceiptInput extends Omit<AccountInput, 'reasons'> {
  readonly request: MigrationRequest;
  readonly facts: SourceFacts;
  readonly store: ImageStore;
  readonly layers: readonly Layer[];
  readonly started: Date;
  /** What tar said on the source of paths that it could not read: `./etc/x: Cannot open: …`. */
  readonly problems: readonly string[];
}

export function makeReceipt(input: ReceiptInput): Promise<WrittenReceipt> {
  const { request, facts, rules, layers, started, problems } = input;
  const header = {
    receipt: 1 as const,
    source: `${request.target.user}@${request.target.host}:${request.target.port}`,
    captured: started.toISOString(),
    layers: layers.map(({ digest }) => digest),
    rules: rules.rules.map(({ id, action, reason }) => ({ id, action, reason })),
    skipped: facts.filesystems
      .filter(({ verdict }) => verdict !== 'included')
      .map(({ mountPoint, type, reason }) => ({ mountPoint: printablePath(mountPoint), type, reason })),
  };
  return writeReceipt(input.store, header, accountForPaths({ ...input, reasons: reasonsOf(problems) }));
}

/** tar writes a name as it quotes it; one that needs no quoting is found by it, any other stays without its reason. */
function reasonsOf(problems: readonly string[]): Map<string, string> {
  const reasons = new Map<string, string>();
  for (const problem of problems) {
    const [, path, reason] = /^\.?(\/.*?): ((?:Cannot|Warning: Cannot|Read error|File shrank).*)$/.exec(problem) ?? [];
    if (path !== undefined && reason !== undefined) reasons.set(path, reason);
  }
  return reasons;
}
