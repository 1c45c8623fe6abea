import { readFileSync } from 'node:fs';
import test from 'ava';
import * as z from 'zod';
import { eventSchema, eventsJsonSchema, stamped } from '../../src/report/events/schema.ts';

function fileOf(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

const Published = z.object({
  oneOf: z.array(
    z.object({
      properties: z.object({ event: z.object({ const: z.string().optional(), enum: z.array(z.string()).optional() }) }),
    }),
  ),
});

test('the published schema is the one that journals are checked by', (t) => {
  // Made by: npx tsx scripts/events-schema.ts && npx biome format --write schemas/events.schema.json
  t.deepEqual(JSON.parse(fileOf('schemas/events.schema.json')), JSON.parse(eventsJsonSchema()));
});

test('every kind of event, with every field, is in the documentation', (t) => {
  const page = fileOf('docs/events.md');
  const kinds = Published.parse(JSON.parse(eventsJsonSchema())).oneOf.flatMap(({ properties: { event, ...fields } }) =>
    (event.enum ?? [event.const ?? '']).map((kind) => ({ kind, fields: Object.keys(fields) })),
  );
  t.true(kinds.length > 20);
  for (const { kind } of kinds) t.regex(page, new RegExp(`^\\| \`${kind}\` \\|`, 'm'), kind);
});

test('what a newer p2c tells more is no mistake', (t) => {
  const event = stamped({ event: 'note', host: 'web1', line: 'x' }, '20261121-220000-abcd');
  t.true(eventSchema.safeParse({ ...event, more: 1 }).success);
  t.false(eventSchema.safeParse({ ...event, v: 2 }).success);
  t.false(eventSchema.safeParse({ ...event, line: 5 }).success);
});
