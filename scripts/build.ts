/**
 * Makes dist/ of src/: `npm run build`, which checks the types first. Everything that a verb loads is a few files, for a
 * process that reads hundreds of modules has spent most of its start on finding them; a verb's own are loaded with it alone.
 */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { shippedProfiles } from '../src/profiles/load.ts';
import { parsedText } from '../src/profiles/parsed.ts';
import { lazyPackages } from './lib/lazy-packages.ts';
import { bundledPackages, licencesOf } from './lib/licences.ts';

const HOME = fileURLToPath(new URL('..', import.meta.url));
const DIST = join(HOME, 'dist');
/** What CommonJS modules ask node for within a file that is none. On its first line, so that no line moves. */
const REQUIRE = `import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url); `;

const { outputFiles, metafile } = await build({
  absWorkingDir: HOME,
  entryPoints: ['src/cli.ts'],
  outdir: DIST,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  // It finds its native parts by where it lies.
  external: ['ssh2'],
  // Wanted where yargs prints help, or for what is no ASCII; to have it ready takes 20 ms: a segmenter and emoji patterns.
  plugins: [lazyPackages(['string-width'])],
  chunkNames: 'parts/[name]-[hash]',
  // Names stay, and node reads the maps for --enable-source-maps alone: a trace can be read either way, at no cost.
  sourcemap: 'linked',
  sourcesContent: false,
  // Where node_modules is a link, the packages have the same names in what is built.
  preserveSymlinks: true,
  metafile: true,
  write: false,
  logLevel: 'warning',
});

// Only now: a build that fails leaves what was there, one that succeeds leaves nothing of the one before.
rmSync(DIST, { recursive: true, force: true });
for (const { path, text } of outputFiles) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text.includes('typeof require') && path.endsWith('.js') ? REQUIRE + text : text);
  if (basename(path) === 'cli.js') chmodSync(path, 0o755);
}
writeFileSync(join(DIST, 'THIRD-PARTY-LICENSES'), licencesOf(HOME, bundledPackages(metafile)));
writeFileSync(join(DIST, 'profiles.json'), parsedText(shippedProfiles()));
