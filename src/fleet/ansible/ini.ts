/**
 * Ansible's INI inventories, which are not INI: host lines hold words with `key=value`, sections of hosts, children and
 * variables (ansible, plugins/inventory/ini.py).
 */
import { UNGROUPED } from '../host.ts';
import { expandHosts, HostPatternError } from './host-pattern.ts';
import { invalid } from './mistakes.ts';
import { pythonValue } from './python-literal.ts';
import type { Tree } from './tree.ts';

const SECTION = /^\[([^:\]\s]+)(?::(\w+))?\]\s*(?:#.*)?$/;
const GROUP_NAME = /^([^:\]\s]+)\s*(?:#.*)?$/;
const KINDS = ['hosts', 'children', 'vars'] as const;
type Kind = (typeof KINDS)[number];

interface Section {
  readonly group: string;
  readonly kind: Kind;
}

/** @throws P2cError `inventory.invalid` with the line. */
export function readIni(text: string, file: string, tree: Tree): void {
  const reader = new IniReader(file, tree);
  for (const [index, line] of text.split(/\r?\n/).entries()) reader.line(line.trim(), index + 1);
  reader.end();
}

class IniReader {
  readonly #file: string;
  readonly #tree: Tree;
  #section: Section = { group: UNGROUPED, kind: 'hosts' };
  /** Groups with a section of hosts or children. */
  readonly #declared: Set<string>;
  /** Groups that have to be declared somewhere, and the line that asks for them. */
  readonly #needed = new Map<string, { line: number; why: string }>();
  readonly #children: { parent: string; child: string }[] = [];

  constructor(file: string, tree: Tree) {
    this.#file = file;
    this.#tree = tree;
    this.#declared = new Set(tree.groups.keys());
  }

  line(line: string, number: number): void {
    if (line === '' || line.startsWith('#') || line.startsWith(';')) return;
    if (line.startsWith('[') && SECTION.test(line)) this.#open(line, number);
    else if (line.startsWith('[') && line.endsWith(']') && !/^\[[0-9a-fA-F:.]+\]$/.test(line)) {
      throw invalid(this.#file, number, `'${line}' is no section: write [group], [group:children] or [group:vars]`);
    } else if (this.#section.kind === 'hosts') this.#hosts(line, number);
    else if (this.#section.kind === 'vars') this.#variable(line, number);
    else this.#child(line, number);
  }

  /** @throws P2cError for a group that no section declares. */
  end(): void {
    for (const [name, { line, why }] of this.#needed) {
      if (!this.#declared.has(name))
        throw invalid(this.#file, line, `${why} '${name}', and no section [${name}] is there`);
    }
    for (const { parent, child } of this.#children) this.#tree.addChild(parent, child);
  }

  #open(line: string, number: number): void {
    const [, group = '', word = 'hosts'] = SECTION.exec(line) ?? [];
    const kind = KINDS.find((known) => known === word);
    if (kind === undefined)
      throw invalid(this.#file, number, `the section [${group}:${word}] is of no kind: children or vars`);
    this.#section = { group, kind };
    this.#tree.group(group);
    if (kind === 'vars') this.#need(group, number, 'there are variables of the group');
    else this.#declared.add(group);
  }

  #need(group: string, line: number, why: string): void {
    if (!this.#needed.has(group)) this.#needed.set(group, { line, why });
  }

  #hosts(line: string, number: number): void {
    const [word = '', ...assignments] = this.#words(line, number);
    const { names, port } = this.#expand(word, number);
    const variables = assignments.map((text, at) => this.#assignment(text, at + 2, number));
    for (const name of names) {
      const host = this.#tree.host(name, this.#section.group);
      if (port !== undefined) host.variables.set('ansible_port', port);
      for (const [key, value] of variables) host.variables.set(key, pythonValue(value));
    }
  }

  #expand(word: string, number: number) {
    try {
      return expandHosts(word);
    } catch (error) {
      if (error instanceof HostPatternError) throw invalid(this.#file, number, error.message);
      throw error;
    }
  }

  #words(line: string, number: number): string[] {
    const words = shellWords(line);
    if (words === undefined) throw invalid(this.#file, number, 'a quote is not closed');
    return words;
  }

  /** What is no variable may be the rest of a password with a blank in it: the messages tell where it stands. */
  #assignment(text: string, word: number, number: number): readonly [string, string] {
    const equals = text.indexOf('=');
    if (equals > 0) return [text.slice(0, equals), text.slice(equals + 1)];
    throw invalid(
      this.#file,
      number,
      `word ${word} is no variable: write key=value, in quotes where the value has blanks`,
    );
  }

  #variable(line: string, number: number): void {
    const equals = line.indexOf('=');
    if (equals < 1) throw invalid(this.#file, number, 'the line is no variable: write key=value');
    const value = pythonValue(line.slice(equals + 1).trim());
    this.#tree.group(this.#section.group).variables.set(line.slice(0, equals).trim(), value);
  }

  #child(line: string, number: number): void {
    const name = GROUP_NAME.exec(line)?.[1];
    if (name === undefined) throw invalid(this.#file, number, `'${line}' is not the name of a group`);
    this.#need(name, number, `the group '${this.#section.group}' has the child`);
    this.#children.push({ parent: this.#section.group, child: name });
  }
}

/**
 * Words as a shell sees them, up to a comment (Python's shlex.split with comments, POSIX mode).
 * @returns undefined where a quote is not closed.
 */
export function shellWords(line: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === '#') break;
    else if (char === "'" || char === '"') {
      const end = closingQuote(line, at);
      if (end < 0) return undefined;
      const inside = line.slice(at + 1, end);
      word = (word ?? '') + (char === '"' ? inside.replace(/\\(["\\])/g, '$1') : inside);
      at = end;
    } else if (char === '\\') {
      at += 1;
      if (at >= line.length) return undefined;
      word = (word ?? '') + line.charAt(at);
    } else word = (word ?? '') + char;
  }
  return word === undefined ? words : [...words, word];
}

function closingQuote(line: string, start: number): number {
  const quote = line.charAt(start);
  for (let at = start + 1; at < line.length; at += 1) {
    if (line.charAt(at) === quote) return at;
    if (quote === '"' && line.charAt(at) === '\\') at += 1;
  }
  return -1;
}
