/** What a page shows of a host's result: of a migration's or an audit's report, of whatever version of p2c, what is there. */
import * as z from 'zod';

const text = z.string().catch('');
const count = z.number().catch(0);
const names = z.array(z.string()).catch([]);

function list<Item extends z.ZodType>(item: Item) {
  return z.array(item).catch([]);
}

const resultSchema = z.object({
  source: z.object({ hostname: text, distribution: text, kernel: text, machine: text }).optional().catch(undefined),
  listing: z.object({ entries: count, problems: names }).catch({ entries: 0, problems: [] }),
  duplicates: z
    .object({ total: count, paths: list(z.object({ path: text, count, cause: text })) })
    .catch({ total: 0, paths: [] }),
  excluded: list(z.object({ rule: text, reason: text, entries: count, bytes: count, examples: names })),
  anatomy: z
    .object({
      tops: list(z.object({ path: text, entries: count, bytes: count })),
      largest: list(z.object({ path: text, bytes: count })),
      hazards: list(z.object({ kind: text, entries: count, examples: names })),
    })
    .catch({ tops: [], largest: [], hazards: [] }),
  ledger: list(
    z.object({
      at: text,
      purpose: text,
      script: text,
      code: z.number().nullable().catch(null),
      durationMs: count,
      changesSource: z.boolean().catch(false),
    }),
  ),
  stream: z
    .object({ entries: count, contentBytes: count, bytes: count, milliseconds: count, problems: names })
    .optional()
    .catch(undefined),
  settle: z
    .object({
      rounds: count,
      changed: count,
      removed: count,
      vanished: count,
      torn: count,
      unreadable: count,
      unreadablePaths: names,
    })
    .optional()
    .catch(undefined),
  stopped: z
    .object({
      milliseconds: count,
      leftAlone: names,
      applications: list(
        z.object({
          name: text,
          downMs: count,
          trouble: text.nullable().catch(null),
          health: list(z.object({ check: text, before: text, after: text, says: text })),
        }),
      ),
    })
    .nullable()
    .catch(null),
  adaptation: z
    .object({
      system: text,
      recipes: list(z.object({ recipe: text, files: names })),
      passedOver: list(z.object({ path: text, why: text })),
    })
    .nullable()
    .catch(null),
  boot: z
    .object({
      outcome: text,
      container: z
        .object({ name: text, init: text, why: text, engine: text, networks: names, heldBack: text.nullable() })
        .nullable()
        .catch(null),
      layers: count,
      unpackedEarly: count,
      startedAfterMs: z.number().nullable().catch(null),
      health: list(z.object({ application: text, check: text, before: text, after: text, says: text })),
      ports: list(z.object({ port: count, state: text })),
      error: z.object({ code: text, message: text, hint: text.optional(), causes: names }).nullable().catch(null),
    })
    .nullable()
    .catch(null),
  image: z.object({ reference: text, digest: text, size: count, layers: count }).optional().catch(undefined),
});

export type ShownResult = z.output<typeof resultSchema>;

/** @returns undefined for what is no report at all. */
export function shownResult(result: unknown): ShownResult | undefined {
  if (typeof result !== 'object' || result === null) return undefined;
  return resultSchema.safeParse(result).data;
}
