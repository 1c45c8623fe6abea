/** The version of this p2c, as package.json has it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from './package-folder.ts';

export function version(): string {
  const text = readFileSync(join(packageFolder(), 'package.json'), 'utf8');
  const found: unknown = JSON.parse(text);
  return typeof found === 'object' && found !== null && 'version' in found ? String(found.version) : 'unknown';
}
