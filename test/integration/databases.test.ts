/**
 * MariaDB and PostgreSQL captured while they are written to: what boots from the image starts without recovery, and has
 * every row that was committed before the stop.
 */
import test, { type ExecutionContext } from 'ava';
import { cli } from '../helpers/cli.ts';
import { eventually } from '../helpers/fake-application.ts';
import { requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { THREE_PROFILES, type ThreeApplications, threeApplications } from '../helpers/three-applications.ts';

/** Below /dev, which no capture takes: the numbers of the rows whose commit was answered. */
const COMMITTED = { mysql: '/dev/shm/mysql.committed', postgresql: '/dev/shm/postgresql.committed' };

/** Writers that go on until their server goes away. Each row is a transaction; its number is told once it is through. */
async function startWriting({ inside }: ThreeApplications): Promise<void> {
  await inside(`mariadb -e 'CREATE DATABASE IF NOT EXISTS shop; DROP TABLE IF EXISTS shop.kept;
      CREATE TABLE shop.kept (id INT PRIMARY KEY, pad TEXT) ENGINE=InnoDB'
    su postgres -c "psql -q -c 'DROP TABLE IF EXISTS kept' -c 'CREATE TABLE kept (id INT PRIMARY KEY, pad TEXT)'" 2>/dev/null
    rm -f ${COMMITTED.mysql} ${COMMITTED.postgresql}
    cat >/dev/shm/rows <<'ROWS'
i=0
while echo "INSERT INTO $1 VALUES ($((i += 1)), repeat('x', 3000)); $(printf "$2" $i)"; do sleep 0.01; done
ROWS
    setsid sh -c 'sh /dev/shm/rows shop.kept "SELECT %d;" | mariadb -n -N >${COMMITTED.mysql}' >/dev/null 2>&1 </dev/null &
    setsid sh -c 'sh /dev/shm/rows kept "SELECT %d;" | su postgres -c "psql -q -tA -v ON_ERROR_STOP=1" >${COMMITTED.postgresql}' \\
      >/dev/null 2>&1 </dev/null &`);
}

async function committed({ inside }: ThreeApplications, file: string): Promise<number> {
  const numbers = (await inside(`cat ${file} 2>/dev/null || true`)).split('\n').filter((line) => /^\d+$/.test(line));
  return Math.max(0, ...numbers.map(Number));
}

/** Boots both from the image and asks: the numbers of rows up to those that were committed, and what the servers said. */
function askTheImage(rows: { mysql: number; postgresql: number }): string {
  return `: >/var/log/postgresql/postgresql-15-main.log
install -d -o mysql /run/mysqld
service postgresql start >/dev/null 2>&1
mysqld_safe --skip-syslog --log-error=/tmp/mariadb.log --user=mysql >/dev/null 2>&1 &
tries=0
until mariadb-admin ping >/dev/null 2>&1 || [ $((tries += 1)) -gt 240 ]; do sleep 0.5; done
echo "mysql $(mariadb -N -e 'SELECT COUNT(*) FROM shop.kept WHERE id <= ${rows.mysql}')"
echo "postgresql $(su postgres -c "psql -tA -c 'SELECT COUNT(*) FROM kept WHERE id <= ${rows.postgresql}'")"
mariadb-check --all-databases --silent
sed 's/^/mysql log: /' /tmp/mariadb.log
sed 's/^/postgresql log: /' /var/log/postgresql/postgresql-15-main.log`;
}

async function captureAndBoot(t: ExecutionContext, three: ThreeApplications, how: readonly string[]): Promise<void> {
  const why = ['migrate', ...how].join(' ');
  const env = { P2C_ROOT: await temporaryFolder(t) };
  await startWriting(three);
  for (const file of Object.values(COMMITTED)) {
    await eventually(t, `${why}: rows are committed`, async () => (await committed(three, file)) > 50);
  }
  const { server } = three;
  const access = ['--identity', server.identity, '--known-hosts', server.knownHosts];
  const excludes = ['/usr/lib/jvm/**', '/usr/share/tomcat10/**', '/usr/share/doc/**', '/data/**', '/opt/**'];
  const options = [...THREE_PROFILES, ...excludes.flatMap((pattern) => ['--exclude', pattern]), ...how];
  const migrated = await cli(['migrate', `root@${server.address}`, ...access, '--tag', 'lab:db', ...options], env);
  t.is(migrated.code, 0, migrated.stderr);
  const rows = {
    mysql: await committed(three, COMMITTED.mysql),
    postgresql: await committed(three, COMMITTED.postgresql),
  };
  const booted = await cli(['run', '--rm', '--shm-size', '256m', 'lab:db', 'sh', '-c', askTheImage(rows)], env);
  t.log(`${why}: ${rows.mysql} rows committed in MariaDB, ${rows.postgresql} in PostgreSQL`);
  t.regex(booted.stdout, new RegExp(`^mysql ${rows.mysql}$`, 'm'), `${why}: ${booted.stdout}${booted.stderr}`);
  t.regex(
    booted.stdout,
    new RegExp(`^postgresql ${rows.postgresql}$`, 'm'),
    `${why}: ${booted.stdout}${booted.stderr}`,
  );
  t.regex(booted.stdout, /^postgresql log: .*database system was shut down at/m);
  t.notRegex(booted.stdout, /^postgresql log: .*(interrupted|not properly shut down|recovery|FATAL|PANIC)/m);
  t.regex(booted.stdout, /^mysql log: .*ready for connections/m);
  t.notRegex(booted.stdout, /^mysql log: .*(\[ERROR\]|crash|corrupt)/im);
  await three.allWell(why);
}

test('databases that are written to: no recovery, and no row is missing', async (t) => {
  if (!requireRoot(t)) return;
  t.timeout(30 * 60_000);
  const three = await threeApplications(t, 'databases');
  await captureAndBoot(t, three, []);
  await captureAndBoot(t, three, ['--hot']);
});
