/**
 * Writes schemas/events.schema.json, by which readers of `--json` and of journals check what they read:
 * `npx tsx scripts/events-schema.ts`, then `npx biome format --write schemas/events.schema.json`.
 */
import { writeFileSync } from 'node:fs';
import { eventsJsonSchema } from '../src/report/events/schema.ts';

writeFileSync(new URL('../schemas/events.schema.json', import.meta.url), eventsJsonSchema());
