/** The map of the house, held: which way imports point, how large a file may be, who may end the process. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const HOME = fileURLToPath(new URL('..', import.meta.url));
const SRC = join(HOME, 'src');
const MAX_LINES = 300;

/** Rooms that may see all that lies to their right, and are seen by none of it. */
const ABOVE = ['cli', 'commands', 'pipeline'];
/** What a room must never know of. Beyond this, no two rooms may import each other, by whatever way round. */
const STRANGERS: Readonly<Record<string, readonly string[]>> = {
  tar: ['ssh', 'source', 'profiles', 'runtime', 'fleet', 'report', 'ssh2', 'listr2'],
  oci: ['ssh', 'source', 'profiles', 'runtime', 'fleet', 'report', 'ssh2', 'listr2'],
  runtime: ['ssh', 'source', 'listing', 'profiles', 'adapt', 'fleet', 'report', 'ssh2', 'listr2'],
  ssh: ['source', 'listing', 'profiles', 'tar', 'oci', 'adapt', 'runtime', 'fleet', 'report', 'listr2'],
};
/** Packages that only these rooms speak to. */
const KEEPERS: Readonly<Record<string, readonly string[]>> = {
  ssh2: ['ssh'],
  yargs: ['cli', 'commands'],
  listr2: ['report', 'pipeline', 'commands'],
};

interface Import {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

function textOf(name: string): string {
  return readFileSync(join(SRC, name), 'utf8');
}

/** `ssh/quote.ts` lies in room `ssh`, `errors.ts` is a room of its own. */
function roomOf(name: string): string {
  return (name.split('/')[0] ?? name).replace(/\.ts$/, '');
}

function importsOf(name: string): Import[] {
  const pattern = /^\s*(?:import|export)\b[^'";]*?\bfrom\s*'([^']+)'|^\s*import\s*'([^']+)'|\bimport\(\s*'([^']+)'/gm;
  return [...textOf(name).matchAll(pattern)].map((found) => {
    const specifier = found[1] ?? found[2] ?? found[3] ?? '';
    const local = specifier.startsWith('.');
    const target = local ? relative(SRC, resolve(SRC, dirname(name), specifier)) : specifier;
    return { file: name, from: roomOf(name), to: local ? roomOf(target) : target };
  });
}

const imports = sources.flatMap(importsOf);
const shown = (found: readonly Import[]) => found.map(({ file, to }) => `${file} imports ${to}`);

test('what a verb prints as JSON is safe for a terminal: jsonText makes it', (t) => {
  // Words of an image's config.
  const others = ['commands/migrate-request.ts'];
  const bare = sources.filter((name) => roomOf(name) === 'commands' && textOf(name).includes('JSON.stringify('));
  t.deepEqual(bare, others);
});

test('the import statements are found', (t) => {
  t.true(imports.some(({ from, to }) => from === 'cli' && to === 'commands'));
  t.true(imports.some(({ from, to }) => from === 'cli' && to === 'yargs'));
});

test('no room imports commands, pipeline or the entry from the right', (t) => {
  const wrong = imports.filter(({ from, to }) => {
    const height = ABOVE.indexOf(to);
    return height >= 0 && from !== to && (ABOVE.indexOf(from) < 0 || ABOVE.indexOf(from) > height);
  });
  t.deepEqual(shown(wrong), []);
});

test('rooms know nothing of those they must not know', (t) => {
  const wrong = imports.filter(({ from, to }) => STRANGERS[from]?.includes(to.split('/')[0] ?? to) ?? false);
  t.deepEqual(shown(wrong), []);
});

test('a package is spoken to by its keepers alone', (t) => {
  const wrong = imports.filter(({ from, to }) => !(KEEPERS[to.split('/')[0] ?? to]?.includes(from) ?? true));
  t.deepEqual(shown(wrong), []);
});

test('no two rooms import each other, by whatever way round', (t) => {
  const next = new Map<string, Set<string>>();
  for (const { from, to } of imports) if (from !== to) next.set(from, (next.get(from) ?? new Set()).add(to));
  const circles = [...next.keys()].map((room) => circleFrom(room, next)).filter((circle) => circle !== undefined);
  t.deepEqual(circles, []);
});

/** A way from the room back to itself, as `a > b > a`. */
function circleFrom(start: string, next: ReadonlyMap<string, ReadonlySet<string>>): string | undefined {
  const seen = new Set<string>();
  const ways: string[][] = [[start]];
  for (let way = ways.pop(); way !== undefined; way = ways.pop()) {
    for (const room of next.get(way.at(-1) ?? '') ?? []) {
      if (room === start) return [...way, room].join(' > ');
      if (!seen.has(room)) ways.push([...way, room]);
      seen.add(room);
    }
  }
  return undefined;
}

test(`no file of src is longer than ${MAX_LINES} lines`, (t) => {
  const long = sources.map((name) => ({ name, lines: textOf(name).split('\n').length - 1 }));
  t.deepEqual(
    long.filter(({ lines }) => lines > MAX_LINES),
    [],
  );
});

test('only the entry ends the process', (t) => {
  const wrong = sources.filter(
    (name) => name !== 'cli.ts' && /\bprocess\s*(?:\.exit\b(?!Code)|\[\s*'exit')/.test(textOf(name)),
  );
  t.deepEqual(wrong, []);
});

test('there is no utils folder', (t) => {
  t.deepEqual(
    sources.filter((name) => /(^|\/)(utils?|helpers?|misc|common)(\/|\.ts$)/.test(name)),
    [],
  );
});

test('no file names a path of the machine it was written on', (t) => {
  const files = readdirSync(HOME, { withFileTypes: true })
    .filter(({ name }) => !['.git', 'node_modules', 'dist'].includes(name))
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(entry.name) : [entry.name]));
  t.true(files.length > 20);
  // In two halves, so that this file does not name it either; a path of a server may well have such a folder inside.
  const needle = new RegExp(`(?<![\\w./})*-])${['/wo', 'rk/'].join('')}`);
  const wrong = files.filter((name) => needle.test(readFileSync(join(HOME, name), 'latin1')));
  t.deepEqual(wrong, []);
});

function filesBelow(folder: string): string[] {
  return readdirSync(join(HOME, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(HOME, join(entry.parentPath, entry.name)));
}
