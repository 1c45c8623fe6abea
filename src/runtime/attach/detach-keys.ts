/** The keys that leave a container's terminal and let it run on; `ctrl-p,ctrl-q` as podman has them. */
import { usageError } from '../../errors.ts';

export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

/**
 * @param text keys separated by commas: a letter or sign, or `ctrl-` and one of a-z, `@`, `^`, `[`, `\`, `]`, `_`; empty
 * for none.
 * @returns the bytes that a terminal sends for them.
 * @throws P2cError `attach.keys` (usage).
 */
export function parseDetachKeys(text: string): Buffer {
  if (text === '') return Buffer.alloc(0);
  return Buffer.from(text.split(',').map((key) => keyByte(key, text)));
}

function keyByte(key: string, text: string): number {
  const control = /^ctrl-([a-z@^[\\\]_])$/i.exec(key)?.[1];
  if (control !== undefined) return control.toUpperCase().charCodeAt(0) & 0x1f;
  if (/^[\x21-\x7e]$/.test(key)) return key.charCodeAt(0);
  throw usageError(`--detach-keys '${text}': '${key}' is no key`, {
    code: 'attach.keys',
    hint: "keys separated by commas, each a letter or ctrl- and a letter: 'ctrl-p,ctrl-q'",
  });
}

/** Watches what is typed for the keys. What may be their beginning is held back until it is clear that it is not. */
export class DetachKeys {
  readonly #keys: Buffer;
  #matched = 0;

  constructor(keys: Buffer) {
    this.#keys = keys;
  }

  /** @returns what is to be handed on, and whether the keys were typed; what follows them is dropped. */
  take(typed: Buffer): { readonly pass: Buffer; readonly detached: boolean } {
    if (this.#keys.length === 0) return { pass: typed, detached: false };
    const pass: number[] = [];
    for (const byte of typed) {
      while (this.#matched > 0 && byte !== this.#keys[this.#matched]) pass.push(...this.#giveBack());
      if (byte !== this.#keys[this.#matched]) pass.push(byte);
      else this.#matched += 1;
      if (this.#matched === this.#keys.length) return { pass: Buffer.from(pass), detached: true };
    }
    return { pass: Buffer.from(pass), detached: false };
  }

  /** The longest end of what was held back that is a beginning again stays held; the rest is given back. */
  #giveBack(): Buffer {
    const held = this.#keys.subarray(0, this.#matched);
    let length = this.#matched - 1;
    while (length > 0 && !held.subarray(held.length - length).equals(this.#keys.subarray(0, length))) length -= 1;
    this.#matched = length;
    return held.subarray(0, held.length - length);
  }
}
