/** What recipes make of a tree: edits on top of it, each noted with the recipe that made it. */
import { posix } from 'node:path';
import { type ByteString, printablePath } from '../printable.ts';
import { followLinks } from './follow-links.ts';
import type { ImageTree } from './image-tree.ts';
import type { TreeEntry } from './overlay.ts';

/** What is to lie at a path. Texts have one character for each byte. */
export type Edit =
  | { readonly kind: 'file'; readonly text: string; readonly mode: number | undefined }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'directory' }
  | { readonly kind: 'removed' };

/** What stays as the server had it though a recipe is for it, as people see paths. */
export interface PassedOver {
  readonly path: string;
  readonly why: string;
}

/** What lies there when the system runs, whatever was captured. */
const MADE_AT_BOOT = /^\/(?:dev|proc|run|sys|var\/run)(?:\/|$)/;

/** Every path but that of `link` and `remove` is followed through the image's own links, and never out of the image. */
export class Draft {
  readonly tree: ImageTree;
  readonly #edits = new Map<string, Edit>();
  /** Of the edits, by folder. */
  readonly #names = new Map<string, Set<string>>();
  readonly #touched = new Set<string>();
  readonly #passedOver = new Map<string, string>();

  constructor(tree: ImageTree) {
    this.tree = tree;
  }

  /** What is to be written, by path; what the tree has already is not among them. */
  get edits(): ReadonlyMap<string, Edit> {
    return this.#edits;
  }

  /** The paths edited since the last call. */
  takeTouched(): string[] {
    const touched = [...this.#touched].sort();
    this.#touched.clear();
    return touched;
  }

  get passedOver(): PassedOver[] {
    const all = [...this.#passedOver].map(([path, why]) => ({ path: printablePath(path as ByteString), why }));
    return all.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** Notes that what a recipe is for stays as it is. */
  passOver(path: string, why: string): void {
    if (!this.#passedOver.has(path)) this.#passedOver.set(path, why);
  }

  /** Undefined where there is no such file, or none that people write. */
  text(path: string): string | undefined {
    const real = this.real(path) ?? path;
    this.#seeWay(path);
    const text = this.#text(real);
    const kind = this.#at(real)?.kind;
    if (kind === 'unknown') this.passOver(path, this.#further(real));
    else if (kind === 'file' && text === undefined) this.passOver(path, 'it is larger than what people write by hand');
    return text;
  }

  /** What lies there after all links. */
  kind(path: string): TreeEntry['kind'] | undefined {
    return this.#at(this.real(path) ?? path)?.kind;
  }

  /** Where a symbolic link leads, as it is written; undefined for what is none. */
  target(path: string): string | undefined {
    const place = this.#place(path);
    const entry = place === undefined ? undefined : this.#at(place);
    return entry?.kind === 'symlink' ? entry.target : undefined;
  }

  /** Where all links lead in the end; undefined for links that go round. */
  real(path: string): string | undefined {
    return followLinks((each) => this.#at(each), path);
  }

  /** The names in a folder, sorted; none where there is no such folder. */
  names(folder: string): string[] {
    const real = this.real(folder);
    if (
      this.#seeWay(folder) &&
      real !== undefined &&
      !MADE_AT_BOOT.test(real) &&
      !this.tree.isOfInterest(`${real}/name`)
    ) {
      this.passOver(folder, leadsAway(real));
    }
    if (real === undefined || this.#at(real)?.kind !== 'directory') return [];
    const all = new Set([...this.tree.names(real), ...(this.#names.get(real) ?? [])]);
    return [...all].filter((name) => this.#at(posix.join(real, name)) !== undefined).sort();
  }

  /** Paths in a folder whose names match, sorted. */
  matching(folder: string, pattern: RegExp): string[] {
    return this.names(folder)
      .filter((name) => pattern.test(name))
      .map((name) => posix.join(folder, name));
  }

  /** Whether a file that is written there would lie there; one that would not is passed over. */
  mayWrite(path: string): boolean {
    return this.#free(path, this.real(path)) !== undefined;
  }

  /** @param mode of a file that is new; one that is there keeps its own, and its owner. */
  write(path: string, text: string, mode?: number): void {
    const real = this.#free(path, this.real(path));
    if (real === undefined || this.#text(real) === text) return;
    this.#folders(posix.dirname(real));
    this.#set(real, { kind: 'file', text, mode });
  }

  /** Nothing where there is no such file. */
  edit(path: string, change: (text: string) => string): void {
    const text = this.text(path);
    if (text !== undefined) this.write(path, change(text));
  }

  /** Whether a link that is laid there would lie there; one that would not is passed over. */
  mayLink(path: string): boolean {
    return this.#free(path, this.#place(path)) !== undefined;
  }

  /** A symbolic link in place of what is there. */
  link(path: string, target: string): void {
    const place = this.#free(path, this.#place(path));
    if (place === undefined || this.target(place) === target) return;
    this.#folders(posix.dirname(place));
    this.#set(place, { kind: 'symlink', target });
  }

  /** A symbolic link in place of a folder, which is to be empty. */
  linkFolder(path: string, target: string): void {
    const place = this.#place(path);
    if (place !== undefined && this.#at(place)?.kind === 'directory') this.#set(place, { kind: 'symlink', target });
  }

  /** Takes away what lies there; of a link, the link. */
  remove(path: string): void {
    const place = this.#place(path);
    if (place !== undefined && this.#at(place) !== undefined) this.#set(place, { kind: 'removed' });
  }

  #set(path: string, edit: Edit): void {
    this.#put(path, edit);
    this.#touched.add(path);
  }

  #put(path: string, edit: Edit): void {
    this.#edits.set(path, edit);
    const folder = posix.dirname(path);
    const names = this.#names.get(folder) ?? new Set();
    this.#names.set(folder, names.add(posix.basename(path)));
  }

  /** Those that are missing. */
  #folders(folder: string): void {
    if (folder === '/' || this.#at(folder)?.kind === 'directory') return;
    this.#folders(posix.dirname(folder));
    this.#put(folder, { kind: 'directory' });
  }

  #at(path: string): Pick<TreeEntry, 'kind' | 'target'> | undefined {
    const edit = this.#edits.get(path);
    if (edit === undefined) return path === '/' ? { kind: 'directory', target: '' as ByteString } : this.tree.at(path);
    if (edit.kind === 'removed') return undefined;
    return { kind: edit.kind, target: (edit.kind === 'symlink' ? edit.target : '') as ByteString };
  }

  #text(real: string): string | undefined {
    const edit = this.#edits.get(real);
    if (edit !== undefined) return edit.kind === 'file' ? edit.text : undefined;
    return this.tree.content(real);
  }

  /** The folder's links followed, and not the last component's; undefined where what is above is no folder. */
  #place(path: string): string | undefined {
    const folder = this.real(posix.dirname(path));
    const kind = folder === undefined ? 'other' : (this.#at(folder)?.kind ?? 'directory');
    return folder === undefined || kind !== 'directory' ? undefined : posix.join(folder, posix.basename(path));
  }

  /** Where a file or link may come: nothing else lies there, and what is around it is known. Otherwise it is passed over. */
  #free(path: string, place: string | undefined): string | undefined {
    const kind = place === undefined ? undefined : this.#at(place)?.kind;
    if (place === undefined) this.passOver(path, 'its links go round, or what is above it is no folder');
    else if (!this.tree.isOfInterest(place)) this.passOver(path, leadsAway(place));
    else if (kind === 'unknown') this.passOver(path, this.#further(place));
    else if (kind === 'directory' || kind === 'other') this.passOver(path, 'what lies there is no file');
    else return place;
    return undefined;
  }

  #further(real: string): string {
    return `it is a hard link to ${printablePath(this.#at(real)?.target ?? ('' as ByteString))}, which is not in its layer`;
  }

  /** False where the first link that leads out of sight was passed over, and not each path behind it. */
  #seeWay(path: string): boolean {
    for (let end = path.indexOf('/', 1); ; end = path.indexOf('/', end + 1)) {
      const part = end < 0 ? path : path.slice(0, end);
      const real = this.real(part);
      if (real === undefined || MADE_AT_BOOT.test(real)) return true;
      if (!this.tree.isOfInterest(real)) {
        this.passOver(part, leadsAway(real));
        return false;
      }
      if (end < 0) return true;
    }
  }
}

function leadsAway(real: string): string {
  return `it leads to ${printablePath(real as ByteString)}, where recipes do not look`;
}
