/** Where the databases of a server keep their data: as the running process has it, else as its own configuration says. */
import { quoteAll } from '../../ssh/quote.ts';
import { type Fact, known } from './fact.ts';
import type { ServerProcess } from './processes.ts';
import type { Answers, Section } from './sections.ts';

export interface DataDirectory {
  /** `mysql`, `postgresql`, `redis`… */
  readonly application: string;
  readonly path: string;
  /** The file with the setting, or `process 123`. */
  readonly from: string;
}

interface Database {
  readonly application: string;
  readonly files: string;
  /** The keys of paths, as an extended regular expression. */
  readonly keys: string;
  /** Its processes, whose working directory is their data where `worksThere` says so. */
  readonly processes: RegExp;
  readonly worksThere: boolean;
  /** Options of the command line that name the directory. */
  readonly options: RegExp;
}

const DATABASES: readonly Database[] = [
  {
    application: 'mysql',
    files:
      '/etc/my.cnf /etc/mysql/my.cnf /etc/my.cnf.d/*.cnf /etc/mysql/*.cnf /etc/mysql/*.d/*.cnf /usr/local/mysql/my.cnf /usr/local/etc/my.cnf',
    keys: 'datadir|innodb[-_]data[-_]home[-_]dir|innodb[-_]log[-_]group[-_]home[-_]dir|innodb[-_]undo[-_]directory',
    processes: /^(?:mysqld|mariadbd)$/,
    worksThere: true,
    options: /--datadir[= ](\/\S+)/,
  },
  {
    application: 'postgresql',
    files:
      '/etc/postgresql/*/*/postgresql.conf /var/lib/pgsql/data/postgresql.conf /var/lib/pgsql/*/data/postgresql.conf /etc/sysconfig/pgsql/* /etc/init.d/postgresql*',
    keys: 'data_directory|PGDATA',
    processes: /^(?:postgres|postmaster|postmaster-real)$/,
    worksThere: true,
    options: /\s-D\s*(\/\S+)/,
  },
  {
    application: 'redis',
    files: '/etc/redis.conf /etc/redis/*.conf /etc/valkey/*.conf',
    keys: 'dir',
    processes: /^(?:redis-server|valkey-server)$/,
    worksThere: true,
    options: /--dir (\/\S+)/,
  },
  {
    application: 'mongodb',
    files: '/etc/mongod.conf /etc/mongodb.conf',
    keys: 'dbpath|dbPath',
    processes: /^mongod$/,
    worksThere: false,
    options: /--dbpath[= ](\/\S+)/,
  },
  {
    application: 'openldap',
    files:
      '/etc/openldap/slapd.conf /etc/ldap/slapd.conf /etc/openldap/slapd.d/cn=config/*.ldif /etc/ldap/slapd.d/cn=config/*.ldif',
    keys: 'directory|olcDbDirectory',
    processes: /^slapd$/,
    worksThere: false,
    options: /(?!)/,
  },
  {
    application: 'elasticsearch',
    files: '/etc/elasticsearch/elasticsearch.yml /etc/opensearch/opensearch.yml',
    keys: 'path\\.data',
    processes: /(?!)/,
    worksThere: false,
    options: /(?!)/,
  },
  {
    application: 'couchdb',
    files: '/etc/couchdb/*.ini /opt/couchdb/etc/*.ini',
    keys: 'database_dir|view_index_dir',
    processes: /(?!)/,
    worksThere: false,
    options: /(?!)/,
  },
  {
    application: 'bind',
    files: '/etc/named.conf /etc/bind/named.conf /etc/bind/named.conf.options',
    keys: 'directory',
    processes: /(?!)/,
    worksThere: false,
    options: /(?!)/,
  },
  {
    application: 'postfix',
    files: '/etc/postfix/main.cf',
    keys: 'queue_directory|mail_spool_directory',
    processes: /(?!)/,
    worksThere: false,
    options: /(?!)/,
  },
  {
    application: 'samba',
    files: '/etc/samba/smb.conf',
    keys: 'path',
    processes: /(?!)/,
    worksThere: false,
    options: /(?!)/,
  },
];

/** Only the lines with paths leave the server: these files hold passwords too. */
export const DATA_SECTIONS: readonly Section[] = [
  ...DATABASES.map(
    ({ application, files, keys }): Section => ({
      name: `data-${application}`,
      script: `grep -sE '^[[:space:]]*(export[[:space:]]+)?(${keys})[[:space:]=:]' ${files} /dev/null`,
      maxBytes: 32 * 1024,
    }),
  ),
  {
    name: 'data-oracle',
    script: "grep -sE '^[A-Za-z0-9_+]+:/' /etc/oratab /var/opt/oracle/oratab /dev/null",
    maxBytes: 16_384,
  },
];

/** What processes say goes before what files say: a file may be one that nothing reads. */
export function readDataDirectories(
  answers: Answers,
  processes: Fact<readonly ServerProcess[]>,
): Fact<DataDirectory[]> {
  const running = 'value' in processes ? processes.value : [];
  const found = [
    ...DATABASES.flatMap((database) => [...ofProcesses(database, running), ...ofFiles(database, answers)]),
    ...answers.lines('data-oracle').flatMap((line) => {
      const home = /^\/[^:]*:[^:]+:(\/[^:]+):/.exec(line)?.[1];
      return home === undefined ? [] : [{ application: 'oracle', path: home, from: '/etc/oratab' }];
    }),
  ];
  const usable = found.filter(({ path }) => path.startsWith('/') && path !== '/' && !/[$\\]/.test(path));
  return known(distinct(usable), 'unknown' in processes ? `processes are not known: ${processes.unknown}` : undefined);
}

function ofProcesses(database: Database, processes: readonly ServerProcess[]): DataDirectory[] {
  const own = processes.filter(({ name, inContainer }) => database.processes.test(name) && !inContainer);
  return own.flatMap(({ pid, cwd, args }) => {
    const named = database.options.exec(args)?.[1];
    const path = database.worksThere && cwd !== undefined && cwd !== '/' ? cwd : named;
    return path === undefined ? [] : [{ application: database.application, path, from: `process ${pid}` }];
  });
}

/** `FILE:  key = "VALUE" # comment`, `key: value`, `key value;`. */
function ofFiles({ application, keys }: Database, answers: Answers): DataDirectory[] {
  const setting = new RegExp(`^(/[^:]+):\\s*(?:export\\s+)?(?:${keys})\\s*[=:\\s]\\s*(.+)$`);
  return answers.lines(`data-${application}`).flatMap((line) => {
    const [, from, value] = setting.exec(line) ?? [];
    if (from === undefined || value === undefined) return [];
    const path = value
      .replace(/\s+#.*$/, '')
      .replace(/;.*$/, '')
      .trim()
      .replace(/^(['"])(.*)\1$/, '$2')
      .replace(/^['"]/, '');
    return [{ application, path: path.length > 1 ? path.replace(/\/+$/, '') : path, from }];
  });
}

function distinct(directories: readonly DataDirectory[]): DataDirectory[] {
  return directories.filter(
    (one, index) =>
      directories.findIndex(({ application, path }) => application === one.application && path === one.path) === index,
  );
}

/** Which of them are there, and where PostgreSQL's tablespaces lead. */
export function dataSections(directories: readonly DataDirectory[]): Section[] {
  const paths = directories.map(({ path }) => path);
  if (paths.length === 0) return [];
  const spaces = directories
    .filter(({ application }) => application === 'postgresql')
    .map(({ path }) => `${path}/pg_tblspc`);
  return [
    {
      name: 'data-there',
      script: `for d in ${quoteAll(paths)}; do [ -d "$d" ] && echo "$d"; done`,
      maxBytes: 64 * 1024,
    },
    ...(spaces.length === 0
      ? []
      : [{ name: 'tablespaces', script: `ls -l ${quoteAll(spaces)} | sed -n 's/^l.* -> //p'`, maxBytes: 16_384 }]),
  ];
}

export function presentDirectories(directories: readonly DataDirectory[], answers: Answers): DataDirectory[] {
  const there = new Set(answers.lines('data-there'));
  const spaces = answers.lines('tablespaces').filter((path) => path.startsWith('/'));
  return [
    ...directories.filter(({ path }) => there.has(path)),
    ...spaces.map((path) => ({ application: 'postgresql', path, from: 'a tablespace' })),
  ];
}
