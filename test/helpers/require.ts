/**
 * What a test needs of the machine. Where it lacks: under CI the test fails, elsewhere it is skipped with the reason,
 * in a line that `scripts/test` counts.
 */

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { findPlugin } from '../../src/runtime/network/plugin.ts';

/** Whether the test may go on: `if (!requireRoot(t)) return;`. */
export function requireRoot(t: ExecutionContext): boolean {
  return process.getuid?.() === 0 || lacking(t, 'root');
}

/** Whether all the programs are in PATH or where Debian keeps an administrator's. */
export function requirePrograms(t: ExecutionContext, names: readonly string[]): boolean {
  const missing = names.filter((name) => !installed(name));
  return missing.length === 0 || lacking(t, missing.join(', '));
}

function installed(name: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Whether the plugins that networks need are there. */
export function requirePlugins(t: ExecutionContext): boolean {
  return findPlugin('bridge') !== undefined || lacking(t, 'containernetworking-plugins');
}

function lacking(t: ExecutionContext, what: string): false {
  if ((process.env['CI'] ?? '') !== '') {
    t.fail(`needs ${what}, and under CI a test is not skipped`);
  } else {
    t.log(`skipped: needs ${what}`);
    t.pass();
  }
  return false;
}
