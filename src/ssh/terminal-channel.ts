/**
 * A command on a terminal of the source's, made to look like one on pipes: for a sudo, doas or su that runs, or takes its
 * password, on terminals only. A terminal has one output, and no end of input: so what is sent is base64 up to a last line,
 * and what the command says on standard error comes behind its output, with its exit code.
 */
import { EventEmitter } from 'node:events';
import { Duplex } from 'node:stream';
import type { ClientChannel, PseudoTtyOptions } from 'ssh2';
import { AfterMarker } from './after-marker.ts';
import type { Elevation } from './become.ts';

/** Bytes pass as they are: no echo, no line editing, no signals, no flow control. */
export const RAW_TERMINAL: PseudoTtyOptions = {
  term: 'dumb',
  modes: {
    ECHO: 0,
    ICANON: 0,
    ISIG: 0,
    IEXTEN: 0,
    IXON: 0,
    IXOFF: 0,
    ICRNL: 0,
    INLCR: 0,
    ISTRIP: 0,
    OPOST: 0,
    ONLCR: 0,
  },
};

/** How long a script may take to begin before a terminal that is closed is hung up in any case. */
const ARRIVAL_MS = 2000;
const MOST_SAID = 64 * 1024;
/** A multiple of 3, so that no line but the last is padded; 76 characters, as RFC 2045 has it. */
const LINE_BYTES = 57;

/**
 * The script, with its input taken from the terminal and its messages put behind its output.
 *
 * - Its output is a pipe: tar writes to no terminal.
 * - All of the input is taken before the script begins, and none is left where the script ends early or is ended: a sudo
 *   with a terminal of its own (`use_pty`) that has input which nobody reads any more tries for ever to get rid of it, as
 *   root, and its session never ends. For the same reason a hang-up ends the taking by the end of the input only.
 * - A hang-up is told to the first process of the session, and a doas keeps it to itself: so somebody reads on, to whom
 *   nothing is sent, and passes it on.
 */
export function terminalScript(script: string, { marker }: Elevation, input: boolean): string {
  return `stty raw -echo 2>/dev/null
${input ? "trap '' HUP\n" : ''}echo ${marker}
${input ? inputTaken(marker) : ''}exec 3>&1
(read -r p2c_rest <&3; kill -HUP 0) & p2c_watch=$!
p2c_end=$({ { ${input ? `printf '%s\\n' "$p2c_input" | base64 -d | ` : ''}(
${script}
) 3>&-${input ? '' : ' </dev/null'}; printf '\\n${marker} %s' $? >&2; } | cat >&3; } 2>&1 | tail -c ${MOST_SAID})
exec 2>/dev/null
kill $p2c_watch
printf '${marker}-end\\n%s' "$p2c_end"`;
}

/** Where the end of the input did not come, the terminal was hung up: there is nobody to run the script for. */
function inputTaken(marker: string): string {
  return `p2c_input=$(sed '/^${marker}$/q')
trap - HUP
case $p2c_input in *${marker}) [ -t 0 ] || exit 1 ;; *) exit 1 ;; esac
p2c_input=\${p2c_input%${marker}}
`;
}

export class TerminalChannel extends Duplex {
  readonly stderr = new EventEmitter();
  /** Resolves when the other side knows that it is closed: the connection must stand until then. */
  readonly gone: Promise<void>;
  readonly #channel: ClientChannel;
  readonly #elevation: Elevation;
  /** What came before the script ran; then the last of its output, among which the end may be. */
  #held = Buffer.alloc(0);
  readonly #greeting: AfterMarker | undefined;
  #arrived = false;
  #answered = false;
  #refused = false;
  /** Set where it was closed before the script ran. */
  #doomed: NodeJS.Timeout | undefined;
  #tellGone: () => void = () => {};
  #waiting: (() => void) | undefined;
  #unsent = Buffer.alloc(0);

  /** @param greeting the line after the text that the login prints, where it prints any. */
  constructor(channel: ClientChannel, elevation: Elevation, greeting: string | undefined) {
    // As ssh2's channels do: its end is told when the other side's is.
    super({ emitClose: false, autoDestroy: false });
    this.#channel = channel;
    this.#elevation = elevation;
    this.#greeting = greeting === undefined ? undefined : new AfterMarker(greeting);
    this.gone = new Promise((resolve) => {
      this.#tellGone = resolve;
    });
    channel.on('data', (chunk: Buffer) => this.#heard(chunk));
    channel.on('error', (error: Error) => this.emit('error', error));
    channel.on('close', (code: number | null, signal?: string) => this.#closed(code, signal));
  }

  /** None: the end of the terminal hangs up on who runs there. A signal would end who takes the input, and leave it. */
  signal(): void {}

  /**
   * Not before the script runs, if it does soon: a sudo that is hung up on while it makes a terminal of its own waits for
   * that for ever.
   */
  close(): void {
    if (this.#arrived) this.#hangUp();
    else this.#doomed ??= setTimeout(() => this.#hangUp(), ARRIVAL_MS);
  }

  #hangUp(): void {
    clearTimeout(this.#doomed);
    this.#channel.close();
    this.#tellGone();
  }

  override _read(): void {
    this.#channel.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (!this.#arrived) {
      // What is typed before the password is taken would be taken for it.
      this.#waiting = () => this._write(chunk, _encoding, done);
      return;
    }
    const all = Buffer.concat([this.#unsent, chunk]);
    const whole = all.length - (all.length % LINE_BYTES);
    this.#unsent = all.subarray(whole);
    if (whole === 0) done();
    else this.#channel.write(linesOf(all.subarray(0, whole)), done);
  }

  override _final(done: () => void): void {
    if (!this.#arrived) {
      this.#waiting = () => this._final(done);
      return;
    }
    this.#channel.write(`${linesOf(this.#unsent)}${this.#elevation.marker}\n`, done);
  }

  #heard(chunk: Buffer): void {
    const all = Buffer.concat([this.#held, this.#greeting?.push(chunk) ?? chunk]);
    if (this.#arrived) this.#forward(all);
    else this.#arriving(all);
  }

  #arriving(all: Buffer): void {
    const { marker, password } = this.#elevation;
    const sign = Buffer.from(`${marker}\n`);
    const at = all.indexOf(sign);
    if (at >= 0) {
      this.#begin(all, at + sign.length);
      return;
    }
    this.#held = Buffer.from(all.subarray(-MOST_SAID));
    // All of them ask with a colon at the end; only then may it be answered, for what was typed before is thrown away.
    if (password === undefined || !/:[ \t]*$/.test(this.#held.toString('latin1'))) return;
    if (this.#answered) {
      // It asks again: there is no other password.
      this.#refused = true;
      this.#channel.close();
      return;
    }
    this.#answered = true;
    this.#held = Buffer.alloc(0);
    this.#channel.write(`${password.reveal()}\n`);
  }

  /** @param at where the script's own output begins. */
  #begin(all: Buffer, at: number): void {
    this.#arrived = true;
    this.#held = Buffer.alloc(0);
    this.stderr.emit('data', all.subarray(0, at));
    if (this.#doomed === undefined) {
      this.#forward(all.subarray(at));
      this.#waiting?.();
    } else this.#hangUp();
  }

  /** Gives what cannot be part of the end any more. */
  #forward(all: Buffer): void {
    const kept = MOST_SAID + 256;
    const ready = all.subarray(0, Math.max(0, all.length - kept));
    this.#held = Buffer.from(all.subarray(ready.length));
    if (ready.length > 0 && !this.push(Buffer.from(ready))) this.#channel.pause();
  }

  #closed(code: number | null, signal: string | undefined): void {
    clearTimeout(this.#doomed);
    this.#tellGone();
    if (this.#arrived) this.#tellEnd(code, signal);
    else {
      this.stderr.emit('data', this.#held);
      if (this.#refused) this.emit('exit', 1);
      else this.emit('exit', code, signal);
    }
    // As with ssh2's: who reads comes to the end first.
    this.once('end', () => this.emit('close'));
    this.push(null);
  }

  #tellEnd(code: number | null, signal: string | undefined): void {
    const sign = Buffer.from(`${this.#elevation.marker}-end\n`);
    const at = this.#held.lastIndexOf(sign);
    const said = at < 0 ? undefined : this.#held.subarray(at + sign.length);
    const last = said?.lastIndexOf(`\n${this.#elevation.marker} `) ?? -1;
    const own = said === undefined || last < 0 ? undefined : Number(said.toString('latin1', last).trim().split(' ')[1]);
    if (said === undefined || own === undefined || !Number.isInteger(own)) {
      // It was ended before it could say how it ended.
      this.push(this.#held);
      this.emit('exit', code === 0 ? null : code, signal ?? 'SIGHUP');
      return;
    }
    if (at > 0) this.push(Buffer.from(this.#held.subarray(0, at)));
    if (last > 0) this.stderr.emit('data', said.subarray(0, last));
    this.emit('exit', own);
  }
}

function linesOf(bytes: Buffer): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += LINE_BYTES) {
    lines.push(`${bytes.toString('base64', at, Math.min(bytes.length, at + LINE_BYTES))}\n`);
  }
  return lines.join('');
}
