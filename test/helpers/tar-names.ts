/** The names in an archive, as GNU tar reads them. */
import { execFileSync } from 'node:child_process';

/** As they are written there, in the archive's order. */
export function ownNames(archive: Buffer): string[] {
  const listed = execFileSync('tar', ['-tf', '-', '--quoting-style=literal'], { input: archive, encoding: 'utf8' });
  return listed.split('\n').filter((name) => name !== '');
}
