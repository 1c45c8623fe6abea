/**
 * What V8 made of p2c's code the last time: half of what a short call takes is reading the code anew. Kept for each verb, for
 * each needs other functions. What does not go well here is no fault of a call: then the code is read as ever.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const ENDING = '.v8';
const DIGEST_BYTES = 32;

export class CodeCache {
  readonly #folder: string | undefined;
  readonly #verb: string;
  readonly #name: string;

  /** @param digest of the code that is meant: of two builds, neither takes what is the other's. */
  constructor(folder: string | undefined, verb: string, digest: string) {
    this.#folder = folder;
    this.#verb = verb;
    this.#name = `${verb}_${digest}${ENDING}`;
  }

  /** It is run as it is, so that it must be this user's own, and nobody else's to change. */
  read(): Buffer | undefined {
    if (this.#folder === undefined) return undefined;
    try {
      const file = openSync(join(this.#folder, this.#name), 'r');
      try {
        const { uid, mode } = fstatSync(file);
        if (uid !== process.geteuid?.() || (mode & 0o022) !== 0) return undefined;
        return whole(readFileSync(file));
      } finally {
        closeSync(file);
      }
    } catch {
      return undefined;
    }
  }

  /** Whole or not at all, and in the place of those of other builds. */
  write(data: Uint8Array): void {
    if (this.#folder === undefined) return;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      for (const name of readdirSync(this.#folder)) {
        if (name !== this.#name && name.startsWith(`${this.#verb}_`)) rmSync(join(this.#folder, name), { force: true });
      }
      const draft = mkdtempSync(join(this.#folder, 'draft-'));
      try {
        writeFileSync(join(draft, this.#name), Buffer.concat([digestOf(data), data]), { mode: 0o600, flush: true });
        renameSync(join(draft, this.#name), join(this.#folder, this.#name));
      } finally {
        rmSync(draft, { recursive: true, force: true });
      }
    } catch {
      // A place that cannot be written, or is full.
    }
  }
}

/** V8 believes what it is given: what a power cut or a bad disk left of it would end each call with a crash. */
function whole(bytes: Buffer): Buffer | undefined {
  const data = bytes.subarray(DIGEST_BYTES);
  return digestOf(data).equals(bytes.subarray(0, DIGEST_BYTES)) ? data : undefined;
}

function digestOf(data: Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}

/** Where a user's programs keep what they can make anew (FHS 3.0, section 5.5; XDG base directory specification). */
export function cacheFolder(): string | undefined {
  if (process.geteuid?.() === 0) return '/var/cache/p2c';
  const { XDG_CACHE_HOME: own = '' } = process.env;
  try {
    return join(own.startsWith('/') ? own : join(homedir(), '.cache'), 'p2c');
  } catch {
    // A user without a name and without HOME has none.
    return undefined;
  }
}
