/** The accounts of a server that matter for a copy of it: people, root's likes, and how large its ids are. */
import { type Fact, known } from './fact.ts';
import type { ServerProcess } from './processes.ts';
import type { Answers, Section } from './sections.ts';

interface User {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
  readonly shell: string;
  /** Why it is of note. */
  readonly reason: 'root' | 'a second root' | 'logs in' | 'runs processes';
}

export interface Users {
  readonly accounts: number;
  readonly ofNote: readonly User[];
  /** The largest id among users and groups; files may have larger ones. */
  readonly largestId: number;
  /** Where users come from beside /etc/passwd: `sss`, `ldap`, `nis`, `winbind`. */
  readonly directories: readonly string[];
  /** Names of those who are logged in. */
  readonly loggedIn: readonly string[];
}

export const USER_SECTIONS: readonly Section[] = [
  { name: 'passwd', script: 'cat /etc/passwd', maxBytes: 512 * 1024 },
  { name: 'group', script: 'cut -d: -f3 /etc/group', maxBytes: 128 * 1024 },
  { name: 'nsswitch', script: "grep -E '^passwd:' /etc/nsswitch.conf", maxBytes: 1024 },
  { name: 'who', script: 'who', maxBytes: 16_384 },
];

const NO_LOGIN = /\/(?:nologin|false|sync|shutdown|halt|true)$/;
/** `nobody` of old systems: as far as 16 bits, or 32, go. */
const NOBODY = new Set([65_534, 65_535, 4_294_967_294]);

export function readUsers(answers: Answers, processes: readonly ServerProcess[]): Fact<Users> {
  const accounts = answers.lines('passwd').flatMap(parsePasswd);
  if (accounts.length === 0) return answers.none('/etc/passwd cannot be read');
  const busy = new Set(processes.map(({ uid }) => uid));
  const ofNote = accounts.flatMap((account): User[] => {
    const reason = reasonOf(account, busy);
    return reason === undefined ? [] : [{ ...account, reason }];
  });
  const ids = [...accounts.map(({ uid }) => uid), ...answers.lines('group').map(Number)];
  const directories = answers.line('nsswitch').split(/\s+/).slice(1);
  return known(
    {
      accounts: accounts.length,
      ofNote,
      largestId: Math.max(0, ...ids.filter((id) => Number.isInteger(id) && !NOBODY.has(id))),
      directories: directories.filter((name) => /^(?:sss|ldap|nis|nisplus|winbind|hesiod|db)$/.test(name)),
      loggedIn: [...new Set(answers.lines('who').map((line) => line.split(/\s+/)[0] ?? ''))].filter(
        (name) => name !== '',
      ),
    },
    answers.note('passwd', 'group'),
  );
}

function parsePasswd(line: string): Omit<User, 'reason'>[] {
  const [name, , uid, , , home, shell] = line.split(':');
  if (name === undefined || name === '' || !/^\d+$/.test(uid ?? '') || home === undefined) return [];
  return [{ name, uid: Number(uid), home, shell: shell ?? '' }];
}

/** An empty shell is /bin/sh (passwd(5)). People begin at 500 on Red Hat before 7 and on SUSE before 9, elsewhere at 1000. */
function reasonOf({ name, uid, shell }: Omit<User, 'reason'>, busy: ReadonlySet<number>): User['reason'] | undefined {
  if (uid === 0) return name === 'root' ? 'root' : 'a second root';
  if (uid >= 500 && !NOBODY.has(uid) && !NO_LOGIN.test(shell)) return 'logs in';
  return busy.has(uid) ? 'runs processes' : undefined;
}
