/**
 * What happens in a run, one JSON object a line: what `--json` prints for a batch, and what the journal of a run keeps.
 * docs/events.md is for readers of it. A new field or kind of event leaves the version as it is, so readers must pass over
 * what they do not know; a field that goes or means something else makes a new version.
 */
import * as z from 'zod';

const EVENTS_VERSION = 1;

const host = { host: z.string() };
const milliseconds = z.number().nonnegative();

const errorSchema = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  causes: z.array(z.string()),
});

const kinds = [
  z.object({
    event: z.literal('run-started'),
    /** Of p2c. */
    version: z.string(),
    verb: z.string(),
    /** The options as given, without the webhook's address; what is printed has no commands in it, see `toldEvent`. */
    argv: z.array(z.string()).optional(),
    folder: z.string().optional(),
    hosts: z.array(z.object({ name: z.string(), target: z.string(), image: z.string().nullable() })),
  }),
  z.object({ event: z.literal('run-resumed'), version: z.string() }),
  z.object({
    event: z.literal('run-finished'),
    exitCode: z.int(),
    done: z.int(),
    /** Those that were not begun are counted too. */
    failed: z.int(),
    /** Of those that failed. */
    notBegun: z.int().optional(),
    milliseconds,
  }),
  z.object({
    event: z.literal('disk-planned'),
    /** What each holds at most; null where it could not be asked. */
    hosts: z.array(z.object({ host: z.string(), bytes: z.number().nullable() })),
    /** In the store, beside the reserve. */
    free: z.number(),
  }),
  z.object({ event: z.literal('host-waiting'), ...host, reason: z.string() }),
  z.object({ event: z.literal('host-started'), ...host, attempt: z.int() }),
  z.object({
    event: z.literal('host-facts'),
    ...host,
    hostname: z.string(),
    distribution: z.string(),
    kernel: z.string(),
    machine: z.string(),
  }),
  z.object({
    event: z.literal('host-planned'),
    ...host,
    entries: z.number(),
    bytes: z.number(),
    tarBytes: z.number(),
    parts: z.int(),
  }),
  z.object({ event: z.literal('stage-started'), ...host, stage: z.string() }),
  z.object({
    event: z.literal('stage-ended'),
    ...host,
    stage: z.string(),
    outcome: z.enum(['done', 'failed']),
    milliseconds,
    summary: z.string(),
  }),
  z.object({
    event: z.literal('progress'),
    ...host,
    stage: z.string(),
    line: z.string(),
    /** Bytes of the stage, where it has a known end. */
    done: z.number().optional(),
    total: z.number().optional(),
  }),
  z.object({
    event: z.enum(['part-captured', 'part-kept']),
    ...host,
    /** From 0. */
    part: z.int(),
    parts: z.int(),
    /** Of the entries' attributes: the part holds while it is the same. */
    key: z.string(),
    digest: z.string(),
    bytes: z.number(),
  }),
  z.object({ event: z.literal('layer-unpacked'), ...host, digest: z.string(), milliseconds }),
  z.object({ event: z.literal('container-created'), ...host, container: z.string(), name: z.string() }),
  z.object({ event: z.literal('applications-stopped'), ...host, applications: z.array(z.string()) }),
  z.object({
    event: z.literal('applications-started'),
    ...host,
    applications: z.array(z.object({ name: z.string(), downMs: milliseconds })),
  }),
  /** A command on the server has ended, or nobody knows whether it has. */
  z.object({
    event: z.literal('command'),
    ...host,
    /** When it was begun. */
    at: z.iso.datetime(),
    purpose: z.string(),
    script: z.string(),
    exitCode: z.int().nullable(),
    milliseconds,
    changesSource: z.boolean(),
  }),
  z.object({ event: z.literal('note'), ...host, line: z.string() }),
  z.object({
    event: z.literal('host-retrying'),
    ...host,
    /** Failures so far. */
    failures: z.int(),
    waitMs: milliseconds,
    error: errorSchema,
  }),
  /** `result` is what the verb prints for one target with `--json`; of an audit's hazards, the first paths. */
  z.object({ event: z.literal('host-done'), ...host, exitCode: z.int(), milliseconds, result: z.unknown() }),
  /** `begun` is false where it never was, for what `error` says. */
  z.object({
    event: z.literal('host-failed'),
    ...host,
    milliseconds,
    error: errorSchema,
    begun: z.boolean().optional(),
  }),
  /** Done before the run was resumed. */
  z.object({ event: z.literal('host-kept'), ...host }),
  z.object({
    event: z.literal('hook-ended'),
    /** None for a hook of the batch. */
    host: z.string().optional(),
    hook: z.enum(['pre', 'post', 'fail', 'webhook']),
    exitCode: z.int().nullable(),
    milliseconds,
    /** The end of what it said. */
    said: z.string(),
  }),
] as const;

const happeningSchema = z.discriminatedUnion('event', kinds);

/** What happened; who writes it adds when and in which run. */
export type Happening = z.output<typeof happeningSchema>;

const stampSchema = z.object({
  v: z.literal(EVENTS_VERSION),
  /** ISO 8601, UTC, with milliseconds. */
  time: z.iso.datetime(),
  run: z.string(),
});

export const eventSchema = z.intersection(stampSchema, happeningSchema);

/** The text of `schemas/events.schema.json`: one event. Fields that it does not name may come with a newer p2c. */
export function eventsJsonSchema(): string {
  const schema = z.toJSONSchema(eventSchema, { io: 'input' });
  return `${JSON.stringify({ title: 'p2c event', ...schema }, null, 2)}\n`;
}

export type RunEvent = z.output<typeof eventSchema>;

export type ErrorRecord = z.output<typeof errorSchema>;

/** Of one kind. */
export type HappeningOf<Kind extends Happening['event']> = Extract<Happening, { event: Kind }>;

export function stamped(happening: Happening, run: string, at: Date = new Date()): RunEvent {
  return { v: EVENTS_VERSION, time: at.toISOString(), run, ...happening };
}
