/** A batch on a terminal: its lines drawn in place on standard error, several times a second, and keys to scroll. */
import type { ReadStream } from 'node:tty';
import { fleetLines, lastOffset, roomFor } from './fleet-lines.ts';
import type { HostRecord } from './run-record.ts';
import { drawing, type Screen } from './screen.ts';
import { scrolledTo } from './scrolling.ts';

const DRAW_EVERY_MS = 250;
const INTERRUPT = '\x03';

export class FleetScreen implements AsyncDisposable, Screen {
  readonly #hosts: readonly HostRecord[];
  readonly #keys: ReadStream | undefined;
  readonly #timer: NodeJS.Timeout;
  readonly #takeBack: () => void;
  #drawn = 0;
  #offset = 0;
  #aside = 0;
  #interrupted = false;

  constructor(hosts: readonly HostRecord[]) {
    this.#hosts = hosts;
    this.#keys = process.stdin.isTTY ? process.stdin : undefined;
    // A terminal that is closed says so by SIGHUP too.
    this.#keys?.on('error', () => {});
    this.#listen();
    this.#timer = setInterval(() => this.#draw(), DRAW_EVERY_MS);
    this.#draw();
    this.#takeBack = drawing(this);
  }

  /** Takes the screen away while somebody is asked something. */
  async aside<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#aside += 1;
    this.#wipe();
    this.#deafen();
    try {
      return await work();
    } finally {
      this.#aside -= 1;
      if (this.#aside === 0) this.#listen();
    }
  }

  /** Above what is drawn. */
  note(line: string): void {
    this.#wipe();
    process.stderr.write(`${line}\n`);
    this.#draw();
  }

  /** The last lines stay. */
  leave(): void {
    clearInterval(this.#timer);
    this.#draw();
    this.#deafen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#takeBack();
    this.leave();
  }

  #draw(): void {
    if (this.#aside > 0) return;
    const height = process.stderr.rows ?? 24;
    const colours = process.env['NO_COLOR'] === undefined || process.env['NO_COLOR'] === '';
    const screen = { width: process.stderr.columns ?? 80, height, offset: this.#offset, now: Date.now(), colours };
    const lines = fleetLines(this.#hosts, screen);
    this.#wipe();
    process.stderr.write(lines.map((line) => `${line}\n`).join(''));
    this.#drawn = lines.length;
  }

  /** Up to where the lines began, and all below is cleared. */
  #wipe(): void {
    if (this.#drawn > 0) process.stderr.write(`\x1b[${this.#drawn}A\x1b[0J`);
    this.#drawn = 0;
  }

  readonly #onKey = (chunk: Buffer): void => {
    const keys = chunk.toString('latin1');
    // In raw mode the terminal makes no signal of it.
    if (keys.includes(INTERRUPT)) {
      // A second one ends the process at once: the terminal must be as it was before.
      if (this.#interrupted) this.#deafen();
      this.#interrupted = true;
      process.kill(process.pid, 'SIGINT');
    }
    const height = process.stderr.rows ?? 24;
    const last = lastOffset(this.#hosts, height);
    const page = roomFor(this.#hosts, height);
    this.#offset = scrolledTo(this.#offset, keys, { last, page });
    this.#draw();
  };

  #listen(): void {
    this.#keys?.setRawMode(true);
    this.#keys?.on('data', this.#onKey);
    this.#keys?.resume();
  }

  #deafen(): void {
    this.#keys?.off('data', this.#onKey);
    this.#keys?.pause();
    this.#keys?.setRawMode(false);
  }
}
