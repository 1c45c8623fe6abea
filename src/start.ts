#!/usr/bin/env -S node --
/** What is called as p2c: runs the code of p2c, which the build made one script of, as V8 made it ready the last time. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';
import { CodeCache, cacheFolder } from './code-cache.ts';

/** Of the script; the build puts it here. */
declare const SCRIPT_DIGEST: string;

/** After these a call has done its work, and what it needs of the code is known. Help is no work. */
const WORKED: readonly number[] = [0, 3, 4];

const file = join(import.meta.dirname, 'p2c.cjs');
const [verb = '', ...words] = process.argv.slice(2);
const cache = new CodeCache(cacheFolder(), /^_{0,2}[a-z]{2,20}$/.test(verb) ? verb : 'none', SCRIPT_DIGEST);

const cachedData = cache.read();
// It is ASCII, and read so without a look at each byte.
const script = new Script(readFileSync(file, 'latin1'), {
  filename: file,
  ...(cachedData === undefined ? {} : { cachedData }),
});
if (script.cachedDataRejected !== false && !words.some((word) => word === '--help' || word === '-h')) {
  process.once('exit', (status) => {
    if (WORKED.includes(status)) cache.write(script.createCachedData());
  });
}
script.runInThisContext()(createRequire(file), file, dirname(file));
