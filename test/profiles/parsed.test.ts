import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import test from 'ava';
import * as z from 'zod';
import { shippedProfiles } from '../../src/profiles/load.ts';
import { parsedText } from '../../src/profiles/parsed.ts';

test('what the build parses is what the profiles say, each found by its text', (t) => {
  const shipped = shippedProfiles();
  const parsed = z.record(z.string(), z.looseObject({})).parse(JSON.parse(parsedText(shipped)));
  t.is(Object.keys(parsed).length, shipped.size);
  for (const [file, profile] of shipped) {
    const found = parsed[createHash('sha256').update(readFileSync(file)).digest('hex')];
    if (found === undefined) return t.fail(`${file} is not among them`);
    // But for keys without a value, which nobody asks for.
    t.like(profile, found, file);
  }
});
