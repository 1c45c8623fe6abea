/** Ansible's YAML: inventories of groups (plugins/inventory/yaml.py), and files of variables. YAML 1.1, with `!vault` and `!unsafe`. */
import { isMap, isScalar, LineCounter, Pair, parseDocument, type ScalarTag, type Tags } from 'yaml';
import { messageOf } from '../../errors.ts';
import { expandHosts, HostPatternError } from './host-pattern.ts';
import { keyOf, Mappings } from './mapping.ts';
import { invalid } from './mistakes.ts';
import type { Tree } from './tree.ts';
import { type AnsibleValue, ansibleValue, Unsafe, Vaulted } from './value.ts';

/** Groups within groups deeper than this are no hand's work, and reading recurses. */
const MAX_DEPTH = 32;
const TAGS: ScalarTag[] = [
  { tag: '!vault', resolve: (text) => new Vaulted(text) },
  { tag: '!vault-encrypted', resolve: (text) => new Vaulted(text) },
  { tag: '!unsafe', resolve: (text) => new Unsafe(text) },
];
const BOOLEAN = 'tag:yaml.org,2002:bool';

/** YAML 1.1, but that `y` and `n` are text, as PyYAML has it: hosts and groups are called so. */
function tagsOf(usual: Tags): Tags {
  const words = usual.map((tag): Tags[number] => {
    if (typeof tag === 'string' || tag.tag !== BOOLEAN || !('test' in tag)) return tag;
    const { test } = tag;
    return test === undefined ? tag : { ...tag, test: new RegExp(`^(?![YyNn]$)(?:${test.source})`) };
  });
  return [...TAGS, ...words];
}

interface Parsed {
  readonly contents: unknown;
  place(node: unknown): { line: number; column: number };
  /** Undefined where the node is no map. @throws P2cError `inventory.invalid`. */
  pairs(node: unknown): readonly Pair[] | undefined;
  value(node: unknown): AnsibleValue;
}

/** @throws P2cError `inventory.invalid`. */
function parse(text: string, file: string): Parsed {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: '1.1',
    lineCounter: lines,
    prettyErrors: false,
    // Ansible takes the later of two.
    uniqueKeys: false,
    customTags: tagsOf,
  });
  const place = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const [wrong] = document.errors;
  if (wrong !== undefined) {
    const { line, column } = place(wrong.pos[0]);
    throw invalid(file, line, withoutText(wrong.message), column);
  }
  const mappings = new Mappings(document);
  const expanded = <Result>(node: unknown, expand: () => Result): Result => {
    try {
      return expand();
    } catch (cause) {
      const { line, column } = place(offsetOf(node));
      throw invalid(file, line, `cannot be expanded: ${withoutText(messageOf(cause))}`, column);
    }
  };
  return {
    contents: document.contents,
    place: (node) => place(offsetOf(node)),
    pairs: (node) =>
      expanded(node, () => {
        const map = mappings.node(node);
        return isMap(map) ? mappings.pairs(map) : undefined;
      }),
    value: (node) =>
      expanded(node, () => {
        const js: unknown =
          typeof node === 'object' && node !== null && 'toJS' in node && typeof node.toJS === 'function'
            ? node.toJS(document, { maxAliasCount: 100 })
            : node;
        return ansibleValue(js);
      }),
  };
}

/** The reader's messages end with the text that they mean, which may be a password that is not quoted. */
function withoutText(message: string): string {
  return message.replace(/: .*$/s, '');
}

function offsetOf(node: unknown): number {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return 0;
  const start: unknown = node.range[0];
  return typeof start === 'number' ? start : 0;
}

/** Variables by name; an empty file has none. @throws P2cError `inventory.invalid`. */
export function readVariables(text: string, file: string): Map<string, AnsibleValue> {
  const parsed = parse(text, file);
  const { contents } = parsed;
  if (contents === null || (isScalar(contents) && contents.value === null)) return new Map();
  const pairs = parsed.pairs(contents);
  if (pairs === undefined) {
    const { line, column } = parsed.place(contents);
    throw invalid(file, line, 'expected variables: keys and values', column);
  }
  return new Map(pairs.map((pair) => [keyOf(pair), parsed.value(pair.value)]));
}

/** True of keys and values in well-formed YAML, which no INI inventory is. */
export function isMapping(text: string): boolean {
  const { contents, errors } = parseDocument(text, { version: '1.1', prettyErrors: false, uniqueKeys: false });
  return errors.length === 0 && isMap(contents);
}

/** @throws P2cError `inventory.invalid`. */
export function readGroups(text: string, file: string, tree: Tree): void {
  const parsed = parse(text, file);
  const { contents } = parsed;
  const pairs = parsed.pairs(contents);
  if (pairs === undefined) {
    const { line, column } = parsed.place(contents);
    throw invalid(file, line, 'expected groups: keys and values', column);
  }
  const reader = new GroupReader(parsed, file, tree);
  for (const pair of pairs) reader.group(keyOf(pair), pair.value, 0);
}

class GroupReader {
  readonly #parsed: Parsed;
  readonly #file: string;
  readonly #tree: Tree;

  constructor(parsed: Parsed, file: string, tree: Tree) {
    this.#parsed = parsed;
    this.#file = file;
    this.#tree = tree;
  }

  group(name: string, node: unknown, depth: number): void {
    if (depth > MAX_DEPTH) throw this.#wrong(node, 'groups are nested too deeply');
    const group = this.#tree.group(name);
    for (const pair of this.#entries(node, `the group '${name}'`)) {
      const section = keyOf(pair);
      const what = `'${section}' of the group '${name}'`;
      if (section === 'vars') {
        for (const item of this.#entries(pair.value, what))
          group.variables.set(keyOf(item), this.#parsed.value(item.value));
      } else if (section === 'hosts') {
        for (const item of this.#entries(pair.value, what)) this.#hosts(item, name);
      } else if (section === 'children') {
        for (const item of this.#entries(pair.value, what)) {
          this.group(keyOf(item), item.value, depth + 1);
          this.#tree.addChild(name, keyOf(item));
        }
      } else {
        throw this.#wrong(pair.key, `the group '${name}' has '${section}': only hosts, children and vars are known`);
      }
    }
  }

  #hosts(pair: Pair, group: string): void {
    const { names, port } = this.#expand(pair);
    const entries = this.#entries(pair.value, `the host '${keyOf(pair)}'`);
    for (const name of names) {
      const host = this.#tree.host(name, group);
      if (port !== undefined) host.variables.set('ansible_port', port);
      for (const item of entries) host.variables.set(keyOf(item), this.#parsed.value(item.value));
    }
  }

  #expand(pair: Pair) {
    try {
      return expandHosts(keyOf(pair));
    } catch (error) {
      if (error instanceof HostPatternError) throw this.#wrong(pair.key, error.message);
      throw error;
    }
  }

  /** Nothing for null; one name alone stands for a key without a value. */
  #entries(node: unknown, what: string): readonly Pair[] {
    if (node === null || (isScalar(node) && node.value === null)) return [];
    const pairs = this.#parsed.pairs(node);
    if (pairs !== undefined) return pairs;
    if (isScalar(node) && typeof node.value === 'string') return [new Pair(node)];
    throw this.#wrong(node, `expected keys and values for ${what}`);
  }

  #wrong(node: unknown, message: string): Error {
    const { line, column } = this.#parsed.place(node);
    return invalid(this.#file, line, message, column);
  }
}
