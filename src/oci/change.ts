/** `--change`: instructions for an image's config, as `podman import -c` and `docker import -c` take them. */
import { constants } from 'node:os';
import { normalize } from 'node:path/posix';
import * as z from 'zod';
import { usageError } from '../errors.ts';
import { lastOfEachName } from './environment.ts';
import type { ExecutionConfig, ImageConfig } from './spec.ts';
import { splitWords } from './words.ts';

/** An instruction that was understood. */
export interface Change {
  readonly instruction: string;
  /** What it does to the config. */
  readonly apply: Edit;
}

type Edit = (config: ExecutionConfig) => ExecutionConfig;

type Reader = (value: string, text: string) => Edit;

const READERS: Readonly<Record<string, Reader>> = {
  CMD: (value) => {
    const Cmd = command(value);
    return (config) => ({ ...config, Cmd });
  },
  ENTRYPOINT: (value) => {
    const Entrypoint = command(value);
    // As in a Dockerfile: the command that stood there was meant for no entry point, or for another.
    return (config) => ({ ...config, Entrypoint, Cmd: [] });
  },
  ENV: (value, text) => {
    const variables = assignments(value, text).map(([key, content]) => `${key}=${content}`);
    return (config) => ({ ...config, Env: lastOfEachName([...(config.Env ?? []), ...variables]) });
  },
  EXPOSE: (value, text) => {
    const ports = splitWords(value).map((port) => exposedPort(port, text));
    return (config) => ({ ...config, ExposedPorts: withMembers(config.ExposedPorts, ports) });
  },
  LABEL: (value, text) => {
    const labels = Object.fromEntries(assignments(value, text));
    return (config) => ({ ...config, Labels: { ...config.Labels, ...labels } });
  },
  STOPSIGNAL: (value, text) => {
    const StopSignal = stopSignal(value, text);
    return (config) => ({ ...config, StopSignal });
  },
  USER: (value, text) => {
    const User = oneWord(value, text);
    return (config) => ({ ...config, User });
  },
  VOLUME: (value, text) => {
    const volumes = (json(value) ?? splitWords(value)).map((path) => absolute(path, text));
    return (config) => ({ ...config, Volumes: withMembers(config.Volumes, volumes) });
  },
  WORKDIR: (value, text) => {
    const WorkingDir = normalize(absolute(oneWord(value, text), text));
    return (config) => ({ ...config, WorkingDir });
  },
};

/** @throws P2cError `change.invalid` with what is wrong and what is known. */
export function parseChange(text: string): Change {
  const match = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/s.exec(text);
  const name = match?.[1]?.toUpperCase() ?? text.trim().toUpperCase();
  const value = match?.[2] ?? '';
  const reader = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
  if (reader === undefined) {
    const why =
      name === 'ONBUILD' ? 'OCI images have no place for ONBUILD' : `'${name.slice(0, 50)}' is no instruction`;
    throw invalid(text, why, `known: ${Object.keys(READERS).join(', ')}`);
  }
  if (value === '') throw invalid(text, `${name} has no value`, `write --change '${name} VALUE'`);
  return { instruction: name, apply: reader(value, text) };
}

/** Entry points come first: they take the command away that stood there, and never one that these changes give. */
export function applyChanges(config: ImageConfig, changes: readonly Change[]): ImageConfig {
  const isFirst = ({ instruction }: Change): boolean => instruction === 'ENTRYPOINT';
  const ordered = [...changes.filter(isFirst), ...changes.filter((change) => !isFirst(change))];
  return { ...config, config: ordered.reduce((execution, { apply }) => apply(execution), config.config ?? {}) };
}

/** `["a","b"]` as it is; anything else is a line for sh. */
function command(value: string): string[] {
  return json(value) ?? ['/bin/sh', '-c', value];
}

function json(value: string): string[] | undefined {
  if (!value.startsWith('[')) return undefined;
  try {
    return z.array(z.string()).parse(JSON.parse(value));
  } catch {
    return undefined;
  }
}

/** `KEY=value KEY2="two words"`, or the old form `KEY the whole rest`. */
function assignments(value: string, text: string): [string, string][] {
  const words = splitWords(value);
  const [first = '', ...rest] = words;
  if (!first.includes('=')) {
    if (rest.length === 0) throw invalid(text, `'${first}' has no value`, 'write KEY=VALUE');
    return [[first, value.slice(value.indexOf(first) + first.length).trim()]];
  }
  return words.map((word) => {
    const equals = word.indexOf('=');
    if (equals <= 0) throw invalid(text, `'${word}' is not KEY=VALUE`, 'quote values that have spaces');
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

function exposedPort(port: string, text: string): string {
  const [, number, protocol = 'tcp'] = /^(\d{1,5})(?:\/(tcp|udp))?$/.exec(port) ?? [];
  if (number === undefined || Number(number) < 1 || Number(number) > 65_535) {
    throw invalid(text, `'${port}' is no port`, "write '80' or '53/udp', one port a word");
  }
  return `${number}/${protocol}`;
}

/** `SIGTERM`, `term`, `15`, `SIGRTMIN+3`; written as it is usual in images: with SIG, in capitals. */
function stopSignal(value: string, text: string): string {
  const word = oneWord(value, text);
  if (/^\d{1,2}$/.test(word) && Number(word) >= 1 && Number(word) <= 64) return word;
  const name = `SIG${word.toUpperCase().replace(/^SIG/, '')}`;
  const realTime = /^SIGRTM(?:IN(?:\+\d{1,2})?|AX(?:-\d{1,2})?)$/;
  if (Object.hasOwn(constants.signals, name) || realTime.test(name)) return name;
  throw invalid(text, `'${word}' is no signal`, "write 'SIGTERM' or '15'");
}

function absolute(path: string, text: string): string {
  if (path.startsWith('/')) return path;
  throw invalid(text, `'${path}' does not begin with '/'`, 'paths in an image are absolute');
}

function oneWord(value: string, text: string): string {
  const [word, ...more] = splitWords(value);
  if (word === undefined || word === '' || more.length > 0)
    throw invalid(text, 'one value is expected', 'quote it if it has spaces');
  return word;
}

function withMembers(
  old: ExecutionConfig['Volumes'],
  members: readonly string[],
): Record<string, Record<string, unknown>> {
  return { ...old, ...Object.fromEntries(members.map((member) => [member, {}])) };
}

function invalid(text: string, what: string, hint: string): Error {
  return usageError(`--change '${text.slice(0, 200)}': ${what}`, { code: 'change.invalid', hint });
}
