/**
 * Makes dist/ of src/: `npm run build`, which checks the types first. All of p2c becomes one script, for a process that reads
 * hundreds of modules spends most of its start on finding them; what a call does not need of it is not evaluated.
 */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { shippedProfiles } from '../src/profiles/load.ts';
import { parsedText } from '../src/profiles/parsed.ts';
import { lazyPackages } from './lib/lazy-packages.ts';
import { bundledPackages, licencesOf } from './lib/licences.ts';
import { nativeParts } from './lib/native-parts.ts';
import { withoutParts } from './lib/without-parts.ts';

const HOME = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(HOME, 'dist');

const SCRIPT = join(DIST, 'p2c.cjs');
/** No module of ECMAScript either: to link one with Node.js' own takes as long as to read it all. */
const CLI = join(DIST, 'cli.cjs');

const COMMON = {
  absWorkingDir: HOME,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  // Names stay, and node reads the maps for --enable-source-maps alone: a trace can be read either way, at no cost.
  sourcemap: 'linked',
  sourcesContent: false,
  // Where node_modules is a link, the packages have the same names in what is built.
  preserveSymlinks: true,
  metafile: true,
  // Less to read at each start; names are left, for traces.
  minifyWhitespace: true,
  minifySyntax: true,
  write: false,
  logLevel: 'warning',
} as const satisfies BuildOptions;

const whole = await build({
  ...COMMON,
  entryPoints: ['src/cli.ts'],
  outfile: SCRIPT,
  format: 'cjs',
  // A script has no address of its own; `start.ts` runs it with these.
  define: { 'import.meta.url': 'SCRIPT_URL', 'import.meta.dirname': '__dirname' },
  // One function, in the form of a module of CommonJS: what is added to so long a text later copies it.
  banner: {
    js: "(function (require, __filename, __dirname) { const SCRIPT_URL = require('node:url').pathToFileURL(__filename).href;",
  },
  footer: { js: '})' },
  plugins: [
    // Wanted where yargs prints help, or for what is no ASCII; to have it ready takes 20 ms: a segmenter and emoji patterns.
    lazyPackages(['string-width']),
    nativeParts(HOME),
    // It would load all that speaks HTTP, and p2c makes no HTTP requests through SSH.
    withoutParts(['ssh2/lib/http-agents.js']),
  ],
});

const script = asciiOf(whole.outputFiles.find(({ path }) => path.endsWith('.cjs'))?.text ?? '');
// It has no loader of modules.
if (/\bimport\(/.test(script)) throw new Error('a module is imported that is not in the script');

const start = await build({
  ...COMMON,
  entryPoints: ['src/start.ts'],
  outfile: CLI,
  format: 'cjs',
  define: {
    'import.meta.dirname': '__dirname',
    SCRIPT_DIGEST: JSON.stringify(createHash('sha256').update(script).digest('hex').slice(0, 16)),
  },
});

// Only now: a build that fails leaves what was there, one that succeeds leaves nothing of the one before.
rmSync(DIST, { recursive: true, force: true });
mkdirSync(DIST);
for (const { path, contents } of [...whole.outputFiles, ...start.outputFiles]) writeFileSync(path, contents);
writeFileSync(SCRIPT, script);
chmodSync(CLI, 0o755);
writeFileSync(join(DIST, 'THIRD-PARTY-LICENSES'), licencesOf(HOME, bundledPackages(whole.metafile)));
writeFileSync(join(DIST, 'profiles.json'), parsedText(shippedProfiles()));

/** It is read byte by byte, which is faster. Such an escape means the same wherever it stands; most are in comments. */
function asciiOf(text: string): string {
  return text.replace(/[^\x00-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
