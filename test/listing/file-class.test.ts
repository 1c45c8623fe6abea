import test from 'ava';
import { classOf } from '../../src/listing/file-class.ts';
import type { ByteString } from '../../src/printable.ts';

for (const [path, expected] of [
  ['/var/log/syslog', 'log'],
  ['/opt/app/logs/2026/x', 'log'],
  ['/srv/app/server.log.1', 'log'],
  ['/var/lib/mysql/ib_logfile0', 'database'],
  ['/data/ibdata1', 'database'],
  ['/var/lib/postgresql/15/main/base/1/1259', 'database'],
  ['/data/pg_wal/000000010000000000000001', 'database'],
  ['/home/joe/places.sqlite', 'database'],
  ['/var/lib/mysql/error.log', 'database'],
  ['/etc/passwd', 'other'],
  ['/opt/catalog', 'other'],
  ['/var/logistics/x', 'other'],
] as const) {
  test(`${path} is of the class ${expected}`, (t) => t.is(classOf(path as ByteString, 'f'), expected));
}
