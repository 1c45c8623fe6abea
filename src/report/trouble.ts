/** Why a host has not all that was asked for: it failed, or its image is there and did not boot. */
import type { ErrorRecord } from './events/schema.ts';
import { shownResult } from './html/result.ts';
import type { HostRecord } from './run-record.ts';

export function troubleOf({ error, result }: Pick<HostRecord, 'error' | 'result'>): ErrorRecord | undefined {
  return error ?? shownResult(result)?.boot?.error ?? undefined;
}
