/**
 * The host words of an inventory: `web[01:20].example`, `db[a:f:2]:2222`, `[fe80::1]:22` (ansible,
 * plugins/inventory/__init__.py, expand_hostname_range; parsing/utils/addresses.py).
 */
import { isIP } from 'node:net';

/** A range is written in a moment; its hosts are all held. */
const MOST_HOSTS = 100_000;
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

export interface ExpandedHosts {
  readonly names: readonly string[];
  readonly port: number | undefined;
}

/** What is wrong with a host word; the caller knows where it stands. */
export class HostPatternError extends Error {
  override readonly name = 'HostPatternError';
}

/** @throws HostPatternError */
export function expandHosts(word: string): ExpandedHosts {
  const { base, port } = splitPort(word);
  const names = expandRanges(base);
  for (const name of names) {
    if (name === '' || name === '---' || /[\s/:,'"\\]/.test(name.replaceAll(':', isIP(name) === 6 ? '' : ':'))) {
      throw new HostPatternError(`'${word}' is no host`);
    }
  }
  return { names, port };
}

function splitPort(word: string): { base: string; port: number | undefined } {
  const [, bracketed, number] = /^\[([0-9a-fA-F:.%\w]*:[0-9a-fA-F:.%\w]*)\](?::(\d+))?$/.exec(word) ?? [];
  if (bracketed !== undefined && isIP(bracketed) === 6) return { base: bracketed, port: portOf(number) };
  if (isIP(word) === 6) return { base: word, port: undefined };
  const [, base, port] = /^((?:[^:[\]]|\[[^\]]*\])*):(\d+)$/.exec(word) ?? [];
  return base === undefined ? { base: word, port: undefined } : { base, port: portOf(port) };
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (port < 1 || port > 65_535) throw new HostPatternError(`port ${text} is not between 1 and 65535`);
  return port;
}

function expandRanges(text: string): string[] {
  let names = [''];
  let rest = text;
  for (;;) {
    const [all, head = '', range = ''] = /^([^[\]]*)\[([^[\]]*)\]/.exec(rest) ?? [];
    if (all === undefined) break;
    const values = rangeOf(range);
    if (names.length * values.length > MOST_HOSTS) {
      throw new HostPatternError(`'${text}' are more than ${MOST_HOSTS.toLocaleString('en-US')} hosts`);
    }
    names = names.flatMap((name) => values.map((value) => name + head + value));
    rest = rest.slice(all.length);
  }
  if (/[[\]]/.test(rest)) throw new HostPatternError(`'${text}' has a bracket without its other half`);
  return names.map((name) => name + rest);
}

function rangeOf(text: string): string[] {
  const bounds = text.split(':');
  if (bounds.length !== 2 && bounds.length !== 3) {
    throw new HostPatternError(`the range '[${text}]' is not [BEGIN:END] or [BEGIN:END:STEP]`);
  }
  const [begin = '', end = '', stepText = '1'] = bounds;
  const step = /^\d+$/.test(stepText) ? Number(stepText) : 0;
  const sequence = letters(begin, end) ?? numbers(begin, end);
  if (sequence === undefined || step < 1) throw new HostPatternError(`'[${text}]' is no range of numbers or letters`);
  return sequence.filter((_, at) => at % step === 0);
}

function letters(begin: string, end: string): string[] | undefined {
  if (begin.length !== 1 || end.length !== 1) return undefined;
  const [first, last] = [LETTERS.indexOf(begin), LETTERS.indexOf(end)];
  if (first < 0 || last < 0) return undefined;
  if (first > last) throw new HostPatternError(`the range '[${begin}:${end}]' ends before it begins`);
  return [...LETTERS.slice(first, last + 1)];
}

function numbers(begin: string, end: string): string[] | undefined {
  const from = begin === '' ? '0' : begin;
  if (!/^\d{1,9}$/.test(from) || !/^\d{1,9}$/.test(end)) return undefined;
  const padded = from.length > 1 && from.startsWith('0');
  if (padded && from.length !== end.length) {
    throw new HostPatternError(`'[${begin}:${end}]': with leading zeros, both ends need the same number of digits`);
  }
  const count = Number(end) - Number(from) + 1;
  if (count > MOST_HOSTS) throw new HostPatternError(`'[${begin}:${end}]' is a range of ${count} hosts`);
  const width = padded ? from.length : 0;
  return Array.from({ length: Math.max(0, count) }, (_, at) => String(Number(from) + at).padStart(width, '0'));
}
