/**
 * What a profile may say: how to recognise, stop, start, trim and check one application. The file's form is checked
 * here to the last key; behind it every list is there (perhaps empty) and every quantity is in bytes or milliseconds.
 */
import { normalize } from 'node:path/posix';
import * as z from 'zod';
import { messageOf } from '../errors.ts';
import { parsePattern } from '../listing/pattern.ts';
import { strictObject } from './mistakes.ts';
import { durationSchema, portSchema, sizeSchema } from './scalars.ts';

/** Files of a profile's author end up in scripts and names: no control characters but newlines and tabs. */
const word = z
  .string()
  .max(16_384)
  .regex(/^[^\u0000-\u0008\u000b-\u001f\u007f]*$/, 'holds control characters');
const text = word.min(1);
const line = text.regex(/^[^\n]*$/, 'must be one line').max(1024);

/** One value or a list of them; a list afterwards. */
function oneOrMore<Schema extends z.ZodType>(item: Schema) {
  return z
    .union([z.array(item).min(1), item])
    .transform((value): z.output<Schema>[] => (Array.isArray(value) ? value : [value]));
}

/**
 * A process by its name (as `ps -o comm` shows it; a `*` at its end stands for any ending) and, where many share it
 * (`java`), a part of its arguments.
 */
const processSchema = z
  .union([strictObject({ name: line, argument: line.optional() }), line])
  .transform((value): { name: string; argument?: string | undefined } =>
    typeof value === 'string' ? { name: value } : value,
  );

const listeningPort = portSchema;

/** Facts about an application, each of which can be asked of a running server. All that are given must hold. */
const checkSchema = strictObject({
  process: oneOrMore(processSchema).optional(),
  port: oneOrMore(listeningPort).optional(),
  command: oneOrMore(text).optional(),
}).refine((check) => Object.values(check).some((value) => value !== undefined), {
  error: 'names no process, port or command',
});

const userName = line.regex(/^[A-Za-z_][A-Za-z0-9_.-]*\$?$/, 'is not the name of a user');
const serviceName = line.regex(/^[A-Za-z0-9][A-Za-z0-9_.@:-]*$/, 'is not the name of a service');
const variables = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'is not the name of a variable'),
  z.union([word, z.number(), z.boolean()]).transform(String),
);

const stepFields = {
  /** A script for sh; its exit code is that of its last command. */
  run: text.optional(),
  /** In place of `run`: a service, by the init system that the server has; the first of the names that it knows. */
  service: oneOrMore(serviceName).optional(),
  user: userName.optional(),
  env: variables.default({}),
  /** For the command and what must be true after it together. */
  timeout: durationSchema.default(60_000),
};

const oneOf = (step: { run?: string | undefined; service?: string[] | undefined }): boolean =>
  (step.run === undefined) !== (step.service === undefined);
const oneOfMessage = { error: "a step has either 'run' or 'service'" };

const stopStepSchema = strictObject({ ...stepFields, down: checkSchema.optional() }).refine(oneOf, oneOfMessage);
const startStepSchema = strictObject({ ...stepFields, up: checkSchema.optional() }).refine(oneOf, oneOfMessage);

/** Words for a rule's `type`, and the letters by which listings know them. */
const ENTRY_TYPES = {
  file: 'f',
  directory: 'd',
  symlink: 'l',
  socket: 's',
  fifo: 'p',
  'block-device': 'b',
  'character-device': 'c',
} as const;
type EntryWord = keyof typeof ENTRY_TYPES;

const pattern = line.check((context) => {
  try {
    parsePattern(context.value);
  } catch (error) {
    context.issues.push({ code: 'custom', message: messageOf(error), input: context.value });
  }
});

const ruleSchema = z
  .union([
    strictObject({
      path: pattern,
      reason: line.optional(),
      type: z.enum(['file', 'directory', 'symlink', 'socket', 'fifo', 'block-device', 'character-device']).optional(),
    }),
    pattern,
  ])
  .transform((value): ProfileRule => {
    if (typeof value === 'string') return { path: value, reason: NO_REASON, type: undefined };
    return { path: value.path, reason: value.reason ?? NO_REASON, type: letterOf(value.type) };
  });

const NO_REASON = 'the profile says so';

function letterOf(word: EntryWord | undefined): ProfileRule['type'] {
  return word === undefined ? undefined : ENTRY_TYPES[word];
}

/** A pattern of `src/listing/pattern.ts`, why, and for which type of entry only. */
export interface ProfileRule {
  readonly path: string;
  readonly reason: string;
  readonly type: (typeof ENTRY_TYPES)[EntryWord] | undefined;
}

/** Where no container can have a volume. */
const NO_VOLUME = /^\/(?:proc|sys|dev)?(?:\/.*)?$/;

const absolutePath = line
  .regex(/^\//, "must begin with '/'")
  .refine((path) => !path.split('/').includes('..'), { error: "must not contain '..'" });

const volumeSchema = z
  .union([
    strictObject({
      path: absolutePath,
      /** Whether its content stays in the image, or is stored beside it. */
      capture: z.enum(['image', 'volume']).default('image'),
    }),
    absolutePath,
  ])
  .transform((value): { path: string; capture: 'image' | 'volume' } =>
    typeof value === 'string' ? { path: value, capture: 'image' } : value,
  )
  .refine(({ path, capture }) => capture === 'image' || !NO_VOLUME.test(normalize(path)), {
    error: 'cannot be captured as a volume: the root, /proc, /sys and /dev are no volumes',
    path: ['path'],
  });

/** `1024`, `1024:4096`, `unlimited` or -1, as podman's --ulimit takes them; -1 is "no limit". */
const rlimit = z
  .union([
    z.int().min(-1),
    z.string().regex(/^(?:-1|unlimited|\d+)(?::(?:-1|unlimited|\d+))?$/, 'is not SOFT or SOFT:HARD'),
  ])
  .transform((value): { soft: number; hard: number } => {
    const [soft, hard] = String(value)
      .split(':')
      .map((part) => (part === 'unlimited' ? -1 : Number(part)));
    return { soft: soft ?? -1, hard: hard ?? soft ?? -1 };
  });

const limitsSchema = strictObject({
  memory: sizeSchema.optional(),
  shm: sizeSchema.optional(),
  cpus: z.number().positive().optional(),
  core: rlimit.optional(),
  fsize: rlimit.optional(),
  memlock: rlimit.optional(),
  nofile: rlimit.optional(),
  nproc: rlimit.optional(),
  stack: rlimit.optional(),
});

const healthSchema = z.union([
  strictObject({ tcp: z.int().min(1).max(65_535), timeout: durationSchema.default(60_000) }),
  strictObject({
    http: z.url({ protocol: /^https?$/, error: 'is not an http URL' }),
    timeout: durationSchema.default(60_000),
  }),
  strictObject({ command: text, timeout: durationSchema.default(60_000) }),
]);

/** `mysql`, `generic-sysv:shop`. */
const otherProfile = line.regex(
  /^[a-z0-9][a-z0-9._-]*(?::[A-Za-z0-9][A-Za-z0-9_.@-]*)?$/,
  'is not the name of a profile',
);

export const profileSchema = strictObject({
  name: line.regex(/^[a-z0-9][a-z0-9._-]*$/, 'must be of small letters, digits, dots and dashes').max(64),
  title: line.optional(),
  description: text.optional(),
  /** Written from documentation and never tried on the program itself. */
  documented: z.boolean().default(false),
  /** Any one of these says that the application is there. */
  detect: strictObject({
    process: oneOrMore(processSchema).default([]),
    path: oneOrMore(absolutePath).default([]),
    package: oneOrMore(line).default([]),
    service: oneOrMore(serviceName).default([]),
    port: oneOrMore(listeningPort).default([]),
  }).prefault({}),
  /** Profiles whose applications this one cannot do without: they apply too, are stopped after it and started before it. */
  requires: oneOrMore(otherProfile).default([]),
  /** The same order, where both apply. */
  after: oneOrMore(otherProfile).default([]),
  stop: z.array(stopStepSchema).default([]),
  start: z.array(startStepSchema).default([]),
  exclude: z.array(ruleSchema).default([]),
  include: z.array(ruleSchema).default([]),
  volumes: z.array(volumeSchema).default([]),
  ports: z.array(portSchema).default([]),
  /** What the image runs unless it is told otherwise: program and arguments. */
  command: z.array(word).min(1).optional(),
  env: variables.default({}),
  limits: limitsSchema.prefault({}),
  health: z.array(healthSchema).default([]),
}).check((context) => {
  const { stop, start } = context.value;
  const say = (path: string, message: string) =>
    context.issues.push({ code: 'custom', path: [path], message, input: context.value });
  if (stop.length > 0 && start.length === 0)
    say('stop', "there are stop steps but no 'start': the server would stay down");
  if (start.length > 0 && stop.length === 0) say('start', "there are start steps but no 'stop'");
  if (stop.length > 0 && stop.every((step) => step.down === undefined)) {
    say('stop', "no step has a 'down' check: nothing tells whether the application runs");
  }
});

export type Profile = z.output<typeof profileSchema>;
export type StopStep = z.output<typeof stopStepSchema>;
export type StartStep = z.output<typeof startStepSchema>;
export type Check = z.output<typeof checkSchema>;
export type ProcessName = z.output<typeof processSchema>;
