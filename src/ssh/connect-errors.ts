/** Words for the ways in which a connection does not come about. */
import { isIP } from 'node:net';
import { messageOf, P2cError, systemCode } from '../errors.ts';
import { printable } from '../printable.ts';
import type { OfferedAlgorithms } from './algorithms.ts';
import { roleOf, type Target } from './target.ts';

/** Turns what a socket or ssh2 threw into an error with a remedy. P2cErrors pass; a timeout is worded with the target. */
export function connectFailed(target: Target, error: unknown, offered: OfferedAlgorithms, legacy: boolean): P2cError {
  const at = `${roleOf(target)}${target.host} port ${target.port}`;
  if (error instanceof P2cError && error.code === 'ssh.timeout') {
    return new P2cError(`${at}: ${error.message}`, {
      code: 'ssh.timeout',
      hint: 'is the server up, and does a firewall let ssh through? --connect-timeout SECONDS waits longer',
    });
  }
  if (error instanceof P2cError && error.code !== 'ssh.hung-up') return error;
  return bySystemCode(target, at, error) ?? noneInCommon(at, error, offered, legacy) ?? byMessage(target, at, error);
}

/** ssh2 tells what happened in words only. */
function byMessage(target: Target, at: string, cause: unknown): P2cError {
  const message = printable(messageOf(cause).slice(0, 300));
  if (/before handshake|identification|hung up|version/i.test(message)) {
    return new P2cError(`${at} does not speak ssh as it should: ${message}`, {
      code: 'ssh.failed',
      hint: "is this an ssh server's port? If it is, its log tells why it hung up: MaxStartups, DenyUsers, fail2ban?",
      cause,
    });
  }
  return new P2cError(`no ssh connection to ${at}: ${message}`, {
    code: 'ssh.failed',
    hint: `try it with: ssh -v -p ${target.port} ${target.user}@${target.host}`,
    cause,
  });
}

/** What the server has is named: whoever may change it, or decides to trust it, must know. */
function noneInCommon(at: string, cause: unknown, offered: OfferedAlgorithms, legacy: boolean): P2cError | undefined {
  const kind = /no matching (.*?)(?: algorithm| format)?$/i.exec(messageOf(cause))?.[1];
  if (kind === undefined) return undefined;
  const theirs = offered.of(kind);
  const only = theirs === undefined ? '' : `: it offers only ${printable(theirs.slice(0, 300)).replaceAll(',', ', ')}`;
  return new P2cError(`${at} and p2c have no ${kind.replace(/^[CS]->[CS] /, '')} algorithm in common${only}`, {
    code: 'ssh.algorithms',
    hint: legacy
      ? "also --legacy-ssh allows none of them: the server's sshd_config can allow a newer one"
      : '--legacy-ssh allows the weak algorithms of old servers, for a network that you trust; better is a newer one in its sshd_config',
    cause,
  });
}

function bySystemCode(target: Target, at: string, cause: unknown): P2cError | undefined {
  const code = systemCode(cause) ?? '';
  const make = (errorCode: string, message: string, hint: string): P2cError =>
    new P2cError(message, { code: errorCode, hint, cause });
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NONAME': {
      const what = isIP(target.host) === 0 ? 'no address is known for' : 'this is no usable address:';
      return make(
        'ssh.unknown-host',
        `${what} ${roleOf(target)}${target.host}`,
        'check the name; is it in DNS or /etc/hosts?',
      );
    }
    case 'ECONNREFUSED':
      return make(
        'ssh.refused',
        `${at} refuses the connection`,
        `is sshd running there, and on this port? ${target.jump === true ? '-J USER@HOST:PORT, or Port in its ssh_config' : '--port PORT'}`,
      );
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
      return make('ssh.unreachable', `there is no route to ${at} (${code})`, 'check the address, routes and firewalls');
    case 'ETIMEDOUT':
      return make('ssh.timeout', `${at} does not answer`, 'is the server up, and does a firewall let ssh through?');
    case 'ECONNRESET':
    case 'EPIPE':
      return make(
        'ssh.failed',
        `${at} hung up before p2c was in`,
        'its sshd log tells why: MaxStartups, DenyUsers, fail2ban?',
      );
    default:
      return undefined;
  }
}
