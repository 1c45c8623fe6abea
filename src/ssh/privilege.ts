/** Who p2c is on a source: root, somebody who may become root, or neither. */
import { P2cError } from '../errors.ts';
import { printable } from '../printable.ts';
import { LONGEST } from './after-marker.ts';
import { type BecomeMethod, type BecomeOptions, type Elevation, elevationBy } from './become.ts';
import type { RemoteSession } from './remote-session.ts';
import type { Prompt, Secret } from './secret.ts';
import type { Session } from './session.ts';
import { addressOf } from './target.ts';

const ATTEMPTS = 3;

interface Wishes {
  readonly become?: BecomeOptions | undefined;
  readonly prompt?: Prompt | undefined;
  /** Told what the user should know of the login. */
  readonly onNotice?: ((line: string) => void) | undefined;
}

const STANDINGS = ['root', 'free', 'terminal', 'asks', 'absent'] as const;
type Standing = (typeof STANDINGS)[number];

/** Whether the way to root asks for a password; `su` always does. The one command that must be allowed is `sh`. */
const WAYS: Readonly<Record<BecomeMethod, string>> = {
  sudo: 'sudo -n sh -c "id -u"',
  doas: 'doas -n sh -c "id -u"',
  su: 'false',
};

/**
 * The marker tells the answer from a greeting that a login script prints: such text comes before every stream. Whose the
 * commands become is read from standard output alone: a sudo that works may warn (`unable to resolve host`) as well.
 */
function probe(method: BecomeMethod): string {
  return `
if [ "$(id -u)" = 0 ]; then printf 'p2c:root:'
elif ! command -v ${method} >/dev/null 2>&1; then printf 'p2c:absent:'
else
  case $({ [ "$(${WAYS[method]} </dev/null)" = 0 ] && echo p2c-root; } 2>&1) in
    *p2c-root) printf 'p2c:free:' ;;
    *' tty '*) printf 'p2c:terminal:' ;;
    *) printf 'p2c:asks:' ;;
  esac
fi
`;
}

/**
 * Finds out how commands become root's, and lets the session know. Without `become`, a sudo that asks for a password is
 * left alone; text that the login prints before each command is passed over.
 * @throws P2cError `ssh.shell` where the account's shell does not run commands, or prints something after them;
 * `ssh.become` where the way that was named does not lead to root.
 */
export async function gainPrivilege(session: RemoteSession, { become, prompt, onNotice }: Wishes): Promise<void> {
  const method = become?.method ?? 'sudo';
  const { standing, greeting } = await probeStanding(session, method);
  if (greeting !== '') {
    session.passOverGreeting();
    const words = printable(greeting.trim().slice(0, 80));
    onNotice?.(`the login of ${session.target.name} prints text before commands run; it is passed over: '${words}'`);
  }
  if (standing === 'root') session.rootLogin();
  else if (standing === 'free') session.elevate(elevationBy(method));
  else if (standing === 'terminal' && (await worksWithoutPassword(session, method))) return;
  else if (become !== undefined) {
    if (standing === 'absent') throw cannotBecome(session, `there is no ${method} on ${session.target.name}`);
    await elevateByPassword(session, become, prompt);
  }
}

/** Whether it asks for none, once it has the terminal that it wants. */
async function worksWithoutPassword(session: RemoteSession, method: BecomeMethod): Promise<boolean> {
  try {
    await tryElevation(session, elevationBy(method, undefined, true));
    return true;
  } catch (error) {
    // An sshd may give this account no terminal (PermitTTY).
    const noTerminal = error instanceof P2cError && error.code === 'ssh.channel';
    if (!isRefusal(error) && !noTerminal) throw error;
    session.notElevated();
    return false;
  }
}

function isRefusal(error: unknown): error is P2cError {
  return error instanceof P2cError && (error.code === 'ssh.become' || error.code === 'ssh.terminal');
}

async function probeStanding(
  session: Session,
  method: BecomeMethod,
): Promise<{ readonly standing: Standing; readonly greeting: string }> {
  const result = await session.run({
    purpose: 'see who p2c is there',
    script: probe(method),
    privileged: false,
    // None, and the end of it: a menu in the place of a shell would wait for a choice.
    input: [],
  });
  const said = result.stdout.toString('utf8');
  const answer = STANDINGS.find((standing) => said.endsWith(`p2c:${standing}:`));
  const greeting = said.slice(0, said.lastIndexOf('p2c:'));
  if (answer !== undefined && result.stdout.length < LONGEST) return { standing: answer, greeting };
  const noise = STANDINGS.some((standing) => said.includes(`p2c:${standing}:`));
  const words = printable(`${said}${result.stderr}`.trim().slice(0, 300));
  throw new P2cError(
    noise
      ? `the login of ${session.target.name} prints text with each command that cannot be told from its output: '${words}'`
      : `the login of ${session.target.name} runs no commands (exit code ${result.code}): '${words}'`,
    {
      code: 'ssh.shell',
      hint: noise
        ? 'silence its shell start-up files for logins without a terminal'
        : 'p2c needs an account whose shell runs commands, not nologin or a restricted shell',
    },
  );
}

async function elevateByPassword(
  session: RemoteSession,
  { method, password }: BecomeOptions,
  prompt: Prompt | undefined,
): Promise<void> {
  if (password !== undefined) return elevateBy(session, method, await password());
  if (prompt === undefined) throw cannotBecome(session, `${method} on ${session.target.name} asks for a password`);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await elevateBy(session, method, await ask(session, method, prompt));
    } catch (error) {
      if (!isRefusal(error) || attempt === ATTEMPTS) throw error;
    }
  }
}

function ask(session: Session, method: BecomeMethod, prompt: Prompt): Promise<Secret> {
  const where = addressOf(session.target);
  return prompt(
    method === 'su'
      ? `Password of root on ${where}, for su:`
      : `Password of ${session.target.user}@${where}, for ${method}:`,
  );
}

/** doas takes a password on a terminal only; sudo (requiretty) and su may want one too, and are then given one. */
async function elevateBy(session: RemoteSession, method: BecomeMethod, password: Secret): Promise<void> {
  if (method !== 'doas') {
    try {
      return await tryElevation(session, elevationBy(method, password));
    } catch (error) {
      if (!(error instanceof P2cError) || error.code !== 'ssh.terminal') throw error;
    }
  }
  await tryElevation(session, elevationBy(method, password, true));
}

/** @throws P2cError `ssh.become` where commands do not run as root; `ssh.terminal` where that is for want of a terminal. */
async function tryElevation(session: RemoteSession, elevation: Elevation): Promise<void> {
  session.elevate({ ...elevation, tried: true });
  // An end to the input: after a wrong password, sudo would wait for another.
  const input: Buffer[] = [];
  const { stdout } = await session.run({ purpose: `become root by ${elevation.method}`, script: 'id -u', input });
  const user = stdout.toString().trim();
  if (user !== '0') throw cannotBecome(session, `${elevation.method} on ${session.target.name} makes p2c user ${user}`);
  session.elevate(elevation);
}

function cannotBecome(session: Session, what: string): P2cError {
  return new P2cError(what, {
    code: 'ssh.become',
    hint: `log in as root, let ${session.target.user} become root without a password while the migration lasts, or give the password: --ask-become-pass on a terminal, --become-password-fd or --become-password-command`,
  });
}

/** @throws P2cError `source.privilege`: only root sees every file. */
export function requirePrivilege(session: Session): void {
  if (session.privilege !== 'none') return;
  const { user, name } = session.target;
  throw new P2cError(`${user} is not root on ${name} and cannot use sudo without a password`, {
    code: 'source.privilege',
    hint: `log in as root; give the password with --ask-become-pass; or let ${user} run sudo without a password (NOPASSWD) while the migration lasts`,
  });
}
