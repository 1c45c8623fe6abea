// Fills a lab server for the benchmark: 64,000 small files under /opt/warehouse and 36 large ones under /data/warehouse,
// 1.6 GB in all; half of it random, half words, as applications' files are. Called with the server's root.
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const POOL = 32 * 1024 * 1024;
const FOLDERS = 640;
const FILES_EACH = 100;
const LARGE = 36;
const root = process.argv[2];
if (root === undefined) throw new Error('usage: lab-large.mjs ROOT');

const noise = randomBytes(POOL);

function words() {
  const vocabulary = Array.from({ length: 4096 }, (_, i) => noise.toString('hex', i * 8, i * 8 + 2 + (i % 5)));
  const text = [];
  let length = 0;
  for (let i = 0; length < POOL; i += 2) {
    const word = vocabulary[noise.readUInt16LE(i % (POOL - 2)) & 4095];
    text.push(word);
    length += word.length + 1;
  }
  return Buffer.from(text.join(' '), 'latin1').subarray(0, POOL);
}

const prose = words();
let cursor = 0;

/** Another slice of the pool each time; the same bytes come back only after the whole pool. */
function slice(pool, size) {
  cursor = (cursor + 4099) % (POOL - size);
  return pool.subarray(cursor, cursor + size);
}

for (let folder = 0; folder < FOLDERS; folder++) {
  const path = join(root, 'opt/warehouse', `aisle-${folder % 40}`, `shelf-${folder}`);
  mkdirSync(path, { recursive: true });
  for (let i = 0; i < FILES_EACH; i++) {
    const size = 512 + (((folder * FILES_EACH + i) * 7919) % 15000);
    writeFileSync(join(path, `item-${i}.${i % 2 ? 'txt' : 'bin'}`), slice(i % 2 ? prose : noise, size));
  }
}

mkdirSync(join(root, 'data/warehouse'), { recursive: true });
for (let i = 0; i < LARGE; i++) {
  const file = openSync(join(root, 'data/warehouse', `pallet-${i}.dat`), 'w');
  for (let written = 0; written < 32; written += 8)
    writeSync(file, slice((written / 8) % 2 ? prose : noise, 8 * 1024 * 1024));
  closeSync(file);
}
