/** `--print-sudoers`: what the server's sudoers must say for p2c. Nothing is connected to. */
import { ExitCode, usageError } from '../errors.ts';
import { jsonText } from '../printable.ts';
import { routeTo } from '../ssh/route.ts';
import { sudoersLines } from '../ssh/sudoers.ts';
import { parseTarget } from '../ssh/target.ts';
import { type ConnectionOptions, connectOptions } from './connection-options.ts';

/** The user is the one that p2c would log in as, by ssh_config too. */
export async function printSudoers(options: ConnectionOptions & { json: boolean }, target: string): Promise<ExitCode> {
  const connect = connectOptions(options);
  const method = connect.become?.method ?? 'sudo';
  if (method !== 'sudo') {
    throw usageError(`--print-sudoers is for sudo: what it prints is nothing to ${method}`, {
      code: 'usage',
      hint:
        method === 'doas'
          ? "in the server's /etc/doas.conf: permit nopass USER as root cmd sh"
          : "su needs root's password, and nothing on the server",
    });
  }
  const named = parseTarget(target, { port: options.port });
  const { user } = (await routeTo(named, connect)).at(-1)?.target ?? named;
  const lines = sudoersLines(user, { withoutPassword: connect.become === undefined });
  process.stdout.write(options.json ? `${jsonText({ user, sudoers: lines })}\n` : `${lines.join('\n')}\n`);
  return ExitCode.done;
}
