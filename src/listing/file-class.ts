/**
 * What kind of file a path is, as far as its name tells: what a torn or missing one means differs. A log may lack its
 * last lines; a database that is torn does not start.
 */
import type { ByteString } from '../printable.ts';
import type { EntryType } from './entry.ts';
import { type Pattern, parsePattern } from './pattern.ts';

export type FileClass = 'log' | 'database' | 'other';

const LOGS = ['/var/log/**', '/**/logs/**', '/**/*.log', '/**/*.log.[0-9]', '/var/spool/**', '/var/run/utmp'];

const DATABASES = [
  '/var/lib/mysql/**',
  '/var/lib/postgresql/**',
  '/var/lib/pgsql/**',
  '/var/lib/redis/**',
  '/var/lib/ldap/**',
  '/var/lib/mongodb/**',
  '/**/oradata/**',
  '/**/ibdata[0-9]',
  '/**/ib_logfile[0-9]',
  '/**/*.ibd',
  '/**/*.MY[DI]',
  '/**/pg_wal/**',
  '/**/pg_xlog/**',
  '/**/*.db',
  '/**/*.sqlite',
  '/**/*.sqlite3',
  '/**/*.dbf',
  '/**/*.rdb',
  '/**/*.aof',
];

const RULES: readonly (readonly [FileClass, readonly Pattern[]])[] = [
  ['database', DATABASES.map(parsePattern)],
  ['log', LOGS.map(parsePattern)],
];

/** A database's own logs are a part of it: the first rule that matches counts. */
export function classOf(path: ByteString, type: EntryType): FileClass {
  return RULES.find(([, patterns]) => patterns.some((pattern) => pattern.matches({ path, type })))?.[0] ?? 'other';
}
