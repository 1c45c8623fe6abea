/** Who p2c is on a source: root, somebody who may become root without a password, or neither. */
import { P2cError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Privilege, Session } from './session.ts';

/** The marker tells the answer from a banner that a login script prints: such noise would be in every stream. */
const PROBE = `
if [ "$(id -u)" = 0 ]; then printf 'p2c:root:'; exit 0; fi
if command -v sudo >/dev/null 2>&1 && [ "$(sudo -n id -u 2>/dev/null </dev/null)" = 0 ]; then printf 'p2c:sudo:'; else printf 'p2c:none:'; fi
`;

/** @throws P2cError `ssh.shell` where the account's shell does not run commands, or prints something of its own. */
export async function probePrivilege(session: Session): Promise<Privilege> {
  const result = await session.run({
    purpose: 'see who p2c is there',
    script: PROBE,
    privileged: false,
    // None, and the end of it: a menu in the place of a shell would wait for a choice.
    input: [],
  });
  const said = result.stdout.toString('utf8');
  const answer = /^p2c:(root|sudo|none):$/.exec(said)?.[1];
  if (answer === 'root' || answer === 'sudo' || answer === 'none') return answer;
  const noise = /p2c:(root|sudo|none):/.test(said);
  const words = printable(`${said}${result.stderr}`.trim().slice(0, 300));
  throw new P2cError(
    noise
      ? `the login of ${session.target.name} prints text before commands run: '${words}'`
      : `the login of ${session.target.name} runs no commands (exit code ${result.code}): '${words}'`,
    {
      code: 'ssh.shell',
      hint: noise
        ? 'silence its shell start-up files for logins without a terminal'
        : 'p2c needs an account whose shell runs commands, not nologin or a restricted shell',
    },
  );
}

/** @throws P2cError `source.privilege`: only root sees every file. */
export function requirePrivilege(session: Session): void {
  if (session.privilege !== 'none') return;
  const { user, name } = session.target;
  throw new P2cError(`${user} is not root on ${name} and cannot use sudo without a password`, {
    code: 'source.privilege',
    hint: `log in as root, or let ${user} run sudo without a password (NOPASSWD) while the migration lasts`,
  });
}
