/**
 * The shipped profiles as the build parsed them: to read all as YAML takes a tenth of a second. Each is found by the digest of
 * its text, so that one which was changed since is read as it is.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { Profile } from './schema.ts';

/** Beside what was built, and beside none of the sources. */
const FILE = new URL('profiles.json', import.meta.url);

// They were checked by the build.
const parsedSchema = z.record(z.string(), z.custom<Profile>());
type Parsed = z.output<typeof parsedSchema>;

let parsed: Parsed | undefined;

/** What the build made of exactly this file; undefined where it did not know it. */
export function parsedProfile(file: string): Profile | undefined {
  parsed ??= readParsed();
  return Object.keys(parsed).length === 0 ? undefined : parsed[digestOf(file)];
}

/** For the build: the file's text. */
export function parsedText(profiles: ReadonlyMap<string, Profile>): string {
  return JSON.stringify(Object.fromEntries([...profiles].map(([file, profile]) => [digestOf(file), profile])));
}

function digestOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

function readParsed(): Parsed {
  try {
    return parsedSchema.parse(JSON.parse(readFileSync(fileURLToPath(FILE), 'utf8')));
  } catch {
    // Not built, or not by this p2c: the profiles themselves are there.
    return {};
  }
}
