/**
 * Writes profiles/profile.schema.json, by which editors complete and check profiles: `npx tsx scripts/profile-schema.ts`,
 * then `npx biome format --write profiles/profile.schema.json`.
 */
import { writeFileSync } from 'node:fs';
import { profileJsonSchema } from '../src/profiles/json-schema.ts';

writeFileSync(new URL('../profiles/profile.schema.json', import.meta.url), profileJsonSchema());
