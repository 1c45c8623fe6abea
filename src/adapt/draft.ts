/** What recipes make of a tree: edits on top of it, each noted with the recipe that made it. */
import { posix } from 'node:path';
import type { ByteString } from '../printable.ts';
import { followLinks } from './follow-links.ts';
import type { ImageTree } from './image-tree.ts';
import { isOfInterest } from './of-interest.ts';
import type { TreeEntry } from './overlay.ts';

/** What is to lie at a path. Texts have one character for each byte. */
export type Edit =
  | { readonly kind: 'file'; readonly text: string; readonly mode: number | undefined }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'directory' }
  | { readonly kind: 'removed' };

/** Every path but that of `link` and `remove` is followed through the image's own links, and never out of the image. */
export class Draft {
  readonly tree: ImageTree;
  readonly #edits = new Map<string, Edit>();
  readonly #touched = new Set<string>();

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

  /** Undefined where there is no such file, or none that people write. */
  text(path: string): string | undefined {
    const real = this.real(path) ?? path;
    const edit = this.#edits.get(real);
    if (edit !== undefined) return edit.kind === 'file' ? edit.text : undefined;
    return this.tree.content(real);
  }

  /** What lies there after all links. */
  kind(path: string): TreeEntry['kind'] | undefined {
    return this.#at(this.real(path) ?? path)?.kind;
  }

  /** Where a symbolic link leads, as it is written; undefined for what is none. */
  target(path: string): string | undefined {
    const entry = this.#at(this.#place(path));
    return entry?.kind === 'symlink' ? entry.target : undefined;
  }

  /** Where all links lead in the end; undefined for links that go round. */
  real(path: string): string | undefined {
    return followLinks((each) => this.#at(each), path);
  }

  /** The names in a folder, sorted; none where there is no such folder. */
  names(folder: string): string[] {
    const real = this.real(folder);
    if (real === undefined || this.#at(real)?.kind !== 'directory') return [];
    const added = [...this.#edits.keys()]
      .filter((path) => posix.dirname(path) === real)
      .map((path) => posix.basename(path));
    const all = new Set([...this.tree.names(real), ...added]);
    return [...all].filter((name) => this.#at(posix.join(real, name)) !== undefined).sort();
  }

  /** Paths in a folder whose names match, sorted. */
  matching(folder: string, pattern: RegExp): string[] {
    return this.names(folder)
      .filter((name) => pattern.test(name))
      .map((name) => posix.join(folder, name));
  }

  /** @param mode of a file that is new; one that is there keeps its own, and its owner. */
  write(path: string, text: string, mode?: number): void {
    const real = this.real(path);
    if (real === undefined || this.text(real) === text || !this.#mayHold(real)) return;
    this.#folders(posix.dirname(real));
    this.#set(real, { kind: 'file', text, mode });
  }

  /** Nothing where there is no such file. */
  edit(path: string, change: (text: string) => string): void {
    const text = this.text(path);
    if (text !== undefined) this.write(path, change(text));
  }

  /** A symbolic link in place of what is there. */
  link(path: string, target: string): void {
    const place = this.#place(path);
    if (this.target(place) === target || !this.#mayHold(place)) return;
    this.#folders(posix.dirname(place));
    this.#set(place, { kind: 'symlink', target });
  }

  /** Takes away what lies there; of a link, the link. */
  remove(path: string): void {
    const place = this.#place(path);
    if (this.#at(place) !== undefined) this.#set(place, { kind: 'removed' });
  }

  #set(path: string, edit: Edit): void {
    this.#edits.set(path, edit);
    this.#touched.add(path);
  }

  /** Those that are missing. */
  #folders(folder: string): void {
    if (folder === '/' || this.#at(folder)?.kind === 'directory') return;
    this.#folders(posix.dirname(folder));
    this.#edits.set(folder, { kind: 'directory' });
  }

  #at(path: string): Pick<TreeEntry, 'kind' | 'target'> | undefined {
    const edit = this.#edits.get(path);
    if (edit === undefined) return path === '/' ? { kind: 'directory', target: '' as ByteString } : this.tree.at(path);
    if (edit.kind === 'removed') return undefined;
    return { kind: edit.kind, target: (edit.kind === 'symlink' ? edit.target : '') as ByteString };
  }

  /** The folder's links followed, and not the last component's. */
  #place(path: string): string {
    return posix.join(this.real(posix.dirname(path)) ?? posix.dirname(path), posix.basename(path));
  }

  /** A file or link may come there: nothing else lies there, and what is around it is known. */
  #mayHold(path: string): boolean {
    const kind = this.#at(path)?.kind;
    return (kind === undefined || kind === 'file' || kind === 'symlink') && isOfInterest(path);
  }
}
