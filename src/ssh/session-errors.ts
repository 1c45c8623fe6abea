/** Words for the ways in which a command on a source fails without an exit code. */
import { messageOf, P2cError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { RemoteCommand } from './session.ts';
import type { Target } from './target.ts';

const AGAIN = 'nothing half-made was kept here; run p2c again once the server can be reached';

export function linkLost(target: Target, cause?: unknown): P2cError {
  const why = cause === undefined ? '' : `: ${messageOf(cause)}`;
  return new P2cError(`the connection to ${target.name} was lost${why}`, { code: 'ssh.lost', hint: AGAIN, cause });
}

export function linkClosed(target: Target): P2cError {
  return new P2cError(`the connection to ${target.name} was closed by p2c`, { code: 'ssh.lost' });
}

/** The channel closed, the connection stands, and no exit code was given: the server's sshd ended the command. */
export function leftUnfinished(target: Target, command: RemoteCommand): P2cError {
  return new P2cError(`${target.name} dropped '${command.purpose}' before it ended`, { code: 'ssh.lost', hint: AGAIN });
}

/** The program that was to make the command root's ended, and the command did not run. */
export function notElevated(target: Target, said: Buffer): P2cError {
  const words = printable(said.toString('utf8').trim().slice(-300));
  return new P2cError(`p2c did not become root on ${target.name}: ${words === '' ? 'no reason was given' : words}`, {
    code: /\btty\b|terminal/i.test(words) ? 'ssh.terminal' : 'ssh.become',
    hint: "check the password: the user's own for sudo and doas, root's for su; and whether the user may become root there",
  });
}

/** The login's text did not come to an end, or was all that came. */
export function greetedOnly(target: Target, command: RemoteCommand, said: Buffer): P2cError {
  const words = printable(said.toString('utf8').trim().slice(0, 300));
  return new P2cError(`the login of ${target.name} prints text and did not run '${command.purpose}': '${words}'`, {
    code: 'ssh.shell',
    hint: 'silence its shell start-up files for logins without a terminal',
  });
}

export function killed(target: Target, command: RemoteCommand): P2cError {
  return new P2cError(`'${command.purpose}' on ${target.name} was ended by p2c`, { code: 'ssh.killed' });
}

export function noChannel(target: Target, command: RemoteCommand, cause: unknown): P2cError {
  return new P2cError(`${target.name} opened no channel for '${command.purpose}': ${messageOf(cause)}`, {
    code: 'ssh.channel',
    hint: "its sshd may allow few sessions at once (MaxSessions), or the account's shell may be gone",
    cause,
  });
}

export function timedOut(target: Target, command: RemoteCommand, limitMs: number, what: string): P2cError {
  return new P2cError(`'${command.purpose}' on ${target.name} ${what} for ${limitMs / 1000} s`, {
    code: 'ssh.command-timeout',
    hint: 'the server may be overloaded, or wait for a dead disk or network mount',
  });
}

export function tooMuchOutput(target: Target, command: RemoteCommand, limit: number): P2cError {
  return new P2cError(`'${command.purpose}' on ${target.name} printed more than ${limit} bytes`, {
    code: 'ssh.output',
    hint: 'this is not what that command prints on a healthy server: look at it there',
  });
}

export function inputFailed(target: Target, command: RemoteCommand, cause: unknown): P2cError {
  return new P2cError(`the input of '${command.purpose}' on ${target.name} could not be read: ${messageOf(cause)}`, {
    code: 'ssh.input',
    cause,
  });
}

/** A window is what a receiver allows a sender (RFC 4254, 5.2); one that sends more would fill the memory here. */
export function windowIgnored(target: Target, command: RemoteCommand, bytes: number): P2cError {
  return new P2cError(`${target.name} sent ${bytes} bytes of '${command.purpose}' that p2c had not asked for`, {
    code: 'ssh.protocol',
    hint: 'its ssh server breaks the protocol: is it the server that you mean?',
  });
}
