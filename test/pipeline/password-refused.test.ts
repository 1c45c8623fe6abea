/** Which failure of the first connection makes the second one bring the same password in vain. */
import test, { type ExecutionContext } from 'ava';
import type { AuthContext } from 'ssh2';
import { P2cError } from '../../src/errors.ts';
import { hostEstimate } from '../../src/pipeline/disk-plan.ts';
import { PasswordRefused, passwordRefused } from '../../src/pipeline/password-refused.ts';
import type { ConnectOptions } from '../../src/ssh/connect.ts';
import { Secret } from '../../src/ssh/secret.ts';
import { failure } from '../helpers/failure.ts';
import { startServer } from '../helpers/ssh-server.ts';

const secret = async (): Promise<Secret> => new Secret('wrong');

/** What the question of how much a host holds fails with. */
async function asked(
  t: ExecutionContext,
  authenticate: (context: AuthContext) => void,
  means: ConnectOptions,
): Promise<unknown> {
  const { target, options } = await startServer(t, { authenticate });
  const connect = { ...options, ...means, retries: 0 };
  return hostEstimate({ target, connect }, () => {}).catch((error: unknown) => error);
}

const refuse = (context: AuthContext): void => context.reject(['password']);

test('a password that nobody typed and that is refused is not brought again', async (t) => {
  const alone = await asked(t, refuse, { password: secret });
  if (!(alone instanceof PasswordRefused)) return t.fail(String(alone));
  t.like(alone, { another: false });
  t.regex(alone.failure.message, /the password that was given was refused/);
  t.like(await asked(t, refuse, { password: secret, prompt: secret }), { another: true });
});

test('what may come to something else at the turn is tried again', async (t) => {
  // The password of a person, who is asked then.
  t.like(await asked(t, refuse, { prompt: secret }), { code: 'ssh.auth' });
  // A right password, which was not enough.
  const more = (context: AuthContext): void => {
    if (context.method === 'password') context.reject(['publickey'], true);
    else refuse(context);
  };
  t.like(await asked(t, more, { password: secret, prompt: secret }), { code: 'ssh.auth' });
  // A code that nobody could type.
  const questions = [
    { prompt: 'Password: ', echo: false },
    { prompt: 'Verification code: ', echo: false },
  ];
  const code = (context: AuthContext): void => {
    const no = (): void => context.reject(['keyboard-interactive']);
    if (context.method === 'keyboard-interactive') context.prompt(questions, no);
    else no();
  };
  t.like(await asked(t, code, { password: secret, prompt: secret }), { code: 'ssh.auth' });
  t.like(await asked(t, code, { password: secret }), { another: false }, 'nobody could type it then either');
});

test('the way to root', async (t) => {
  const refused = new P2cError('no', { code: 'ssh.become' });
  t.like(passwordRefused(refused, { become: { method: 'sudo', password: secret }, prompt: secret }), {
    another: false,
  });
  t.is(passwordRefused(refused, { become: { method: 'sudo' }, prompt: secret }), undefined);
  const lost = await failure(Promise.reject(new P2cError('lost', { code: 'ssh.lost' })));
  t.is(passwordRefused(lost, { become: { method: 'sudo', password: secret } }), undefined);
});
