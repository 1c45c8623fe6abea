/** A session that lets a test come in before and after its commands. */
import type { CommandResult, RemoteCommand, Session } from '../../src/ssh/session.ts';

export interface Comer {
  /** What it throws is the command's failure, which is then not sent. */
  readonly before?: (command: RemoteCommand) => void | Promise<void>;
  /** What it throws is the command's failure, which was sent. */
  readonly after?: (command: RemoteCommand, result: CommandResult) => void | Promise<void>;
}

export function between(session: Session, { before, after }: Comer): Session {
  return {
    target: session.target,
    privilege: session.privilege,
    get ledger() {
      return session.ledger;
    },
    async run(command) {
      await before?.(command);
      const result = await session.run(command);
      await after?.(command, result);
      return result;
    },
    stream: (command, onStderr) => session.stream(command, onStderr),
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}
