/**
 * Judges the entries of one layer (OCI image-spec, layer.md): what importers refuse, what they take differently, and
 * what would reach out of the root.
 */
import { type ByteString, byteString, printablePath } from '../../printable.ts';
import type { TarEntry } from './tar-reader.ts';

export type LayerComplaint = (code: string, message: string) => void;

/** Where a layer lies. */
export interface LayerPlace {
  /** Whether no layer lies below, so that a whiteout has nothing to hide. */
  readonly lowest: boolean;
  /** The folder of a volume, which its layers must not leave; undefined for a layer of an image. */
  readonly volume?: string | undefined;
}

type Kind = 'directory' | 'other' | 'whiteout';

/** No system takes a longer one (PATH_MAX, which counts the NUL at its end). Tars write `./` before it, and `/` after. */
const LONGEST_NAME = 4095;
const AROUND = 3;
/** Of a layer, in memory until its end; a Map of JavaScript holds 2^24. */
const MOST_NAMES = 16_000_000;
const MOST_NAME_BYTES = 1024 ** 3;

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** GNU tar's own: its meaning, and what a reader that does not know it makes of it. */
const FORBIDDEN: Readonly<Record<string, string>> = {
  S: 'an old GNU sparse file',
  D: 'a GNU dump directory',
  V: 'a GNU volume label',
  M: 'the rest of a file from another volume',
  N: 'an old GNU list of names',
};

export class LayerContents {
  readonly #complain: LayerComplaint;
  readonly #lowest: boolean;
  /** Without the slash before it. */
  readonly #volume: string | undefined;
  readonly #kinds = new Map<string, Kind>();
  /** Hard links whose target had not come yet. */
  readonly #waiting: { readonly name: string; readonly target: string }[] = [];
  readonly #room: { names: number; bytes: number };
  #isFull = false;
  #entries = 0;

  /** @param room for names; what is beyond is a fault, and is not examined. */
  constructor(
    { lowest, volume }: LayerPlace,
    complain: LayerComplaint,
    room = { names: MOST_NAMES, bytes: MOST_NAME_BYTES },
  ) {
    this.#room = { ...room };
    this.#lowest = lowest;
    this.#volume = volume === undefined ? undefined : Buffer.from(volume).toString('latin1').slice(1);
    this.#complain = complain;
  }

  get entries(): number {
    return this.#entries;
  }

  add(entry: TarEntry): void {
    this.#entries += 1;
    if (this.#isTooLong(entry) || !this.#hasRoom(entry)) return;
    const path = this.#path(entry.name, 'name', entry.name);
    if (path === undefined) return;
    this.#checkType(entry);
    const kind = this.#kindOf(entry, path);
    if (this.#kinds.has(path)) {
      this.#complain('layer.duplicate', `${shown(path)} is there twice, here as '${printablePath(entry.name)}'`);
      return;
    }
    if (path === '' && kind !== 'directory') this.#complain('layer.root', 'the root is not a directory');
    this.#kinds.set(path, kind);
    this.#checkPlace(path, kind);
    if (entry.type === '1') this.#checkLink(entry, path);
    if (entry.type === '2' && entry.link === '') this.#complain('layer.link', `${shown(path)} leads nowhere`);
  }

  /** Before it is looked at: such a name could be as long as an extended header. */
  #isTooLong({ name, link }: TarEntry): boolean {
    for (const [what, { length }] of [['a name', name] as const, ['a target', link] as const]) {
      if (length <= LONGEST_NAME + AROUND) continue;
      this.#complain(
        'layer.long',
        `${what} has ${length} bytes, and the longest that a system takes has ${LONGEST_NAME}`,
      );
      return true;
    }
    return false;
  }

  #hasRoom({ name, link }: TarEntry): boolean {
    const room = this.#room;
    room.names -= 1;
    room.bytes -= name.length + link.length;
    if (this.#isFull || (room.names >= 0 && room.bytes >= 0)) return !this.#isFull;
    this.#isFull = true;
    const examined = `what follows its first ${this.#entries - 1} entries is not examined`;
    this.#complain('layer.large', `it has more names than can be held at once: ${examined}`);
    return false;
  }

  /** What can be told only when all entries are known. */
  end(): void {
    // What is not there may be in what was not examined.
    if (this.#isFull) return;
    for (const { name, target } of this.#waiting) {
      if (this.#kinds.has(target)) {
        this.#complain('layer.link-early', `${shown(name)} is a hard link to ${shown(target)}, which comes after it`);
      } else {
        this.#complain('layer.link-dangling', `${shown(name)} is a hard link to ${shown(target)}, which is not here`);
      }
    }
    this.#checkParents();
  }

  /** The path without its spellings: `./a//b/` is `a/b`; undefined where it leaves the root. */
  #path(spelled: ByteString, what: 'name' | 'target', of: ByteString): string | undefined {
    const target = `the target '${printablePath(spelled)}' of the hard link '${printablePath(of)}'`;
    const whose = what === 'name' ? `the name '${printablePath(spelled)}'` : target;
    if (spelled === '') {
      this.#complain('layer.name', what === 'name' ? 'an entry has no name' : `${whose} is empty`);
      return undefined;
    }
    if (spelled.startsWith('/')) {
      this.#complain('layer.absolute', `${whose} is absolute`);
      return undefined;
    }
    const parts = spelled.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) {
      this.#complain('layer.outside', `${whose} holds '..'`);
      return undefined;
    }
    return parts.join('/');
  }

  #checkType({ name, type, keys }: TarEntry): void {
    const forbidden = Object.hasOwn(FORBIDDEN, type) ? FORBIDDEN[type] : undefined;
    if (forbidden !== undefined) {
      this.#complain('layer.type', `'${printablePath(name)}' is ${forbidden} (type '${type}')`);
    } else if (!/[0-7]/.test(type)) {
      const flag = printablePath(byteString(Buffer.from(type, 'latin1')));
      this.#complain('layer.type', `'${printablePath(name)}' is of the unknown type '${flag}'`);
    }
    if (keys.some((key) => key.startsWith('GNU.sparse.'))) {
      this.#complain('layer.sparse', `'${printablePath(name)}' is stored as a sparse file, which not all can read`);
    }
  }

  /** A volume's layer holds what is below its folder, and the folders down to it. */
  #checkPlace(path: string, kind: Kind): void {
    if (this.#volume === undefined || path.startsWith(`${this.#volume}/`)) return;
    const leadsThere = `${this.#volume}/`.startsWith(path === '' ? '' : `${path}/`);
    if (kind !== 'directory' || !leadsThere) this.#complain('layer.place', `${shown(path)} is not the volume's`);
  }

  #kindOf(entry: TarEntry, path: string): Kind {
    const base = path.slice(path.lastIndexOf('/') + 1);
    if (!base.startsWith(WHITEOUT)) return entry.type === '5' ? 'directory' : 'other';
    const hidden = base.slice(WHITEOUT.length);
    if (this.#lowest) this.#complain('layer.whiteout', `${shown(path)} hides something, and no layer lies below`);
    if (base !== OPAQUE && (hidden === '' || hidden === '.' || hidden === '..' || hidden.startsWith(WHITEOUT))) {
      this.#complain('layer.whiteout', `${shown(path)} is a whiteout of nothing that can be`);
    }
    if (entry.type !== '0' || entry.size > 0) {
      this.#complain('layer.whiteout', `${shown(path)} is a whiteout and not an empty file`);
    }
    return 'whiteout';
  }

  #checkLink(entry: TarEntry, name: string): void {
    const target = this.#path(entry.link, 'target', entry.name);
    if (target === undefined) return;
    const kind = this.#kinds.get(target);
    if (target === name) this.#complain('layer.link-dangling', `${shown(name)} is a hard link to itself`);
    else if (kind === undefined) this.#waiting.push({ name, target });
    else if (kind !== 'other') {
      const what = kind === 'directory' ? 'a directory' : 'a whiteout';
      this.#complain('layer.link', `${shown(name)} is a hard link to ${shown(target)}, which is ${what}`);
    }
  }

  /** An extractor invents a parent that is missing, with attributes of its own. */
  #checkParents(): void {
    const reported = new Set<string>();
    for (const [path, kind] of this.#kinds) {
      if (kind === 'whiteout') this.#checkHidden(path);
      for (let parent = parentOf(path); parent !== ''; parent = parentOf(parent)) {
        const parentKind = this.#kinds.get(parent);
        if (parentKind === 'directory' || reported.has(parent)) break;
        reported.add(parent);
        if (parentKind === undefined) {
          this.#complain('layer.parent', `${shown(path)} is here, and its directory ${shown(parent)} is not`);
        } else {
          this.#complain('layer.parent', `${shown(path)} lies under ${shown(parent)}, which is not a directory`);
          break;
        }
      }
    }
  }

  /** A whiteout hides what is below: an entry of that name beside it is hidden by some importers, and kept by others. */
  #checkHidden(path: string): void {
    const slash = path.lastIndexOf('/') + 1;
    if (path.slice(slash) === OPAQUE) return;
    const hidden = path.slice(0, slash) + path.slice(slash + WHITEOUT.length);
    if (this.#kinds.has(hidden)) {
      this.#complain('layer.whiteout', `${shown(hidden)} and its whiteout are in the same layer`);
    }
  }
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function shown(path: string): string {
  return path === '' ? 'the root' : `'/${printablePath(byteString(Buffer.from(path, 'latin1')))}'`;
}
