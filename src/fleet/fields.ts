/** The values an inventory's host may have, each with its own words for what is wrong with one. */
import { isIP } from 'node:net';
import * as z from 'zod';
import { messageOf } from '../errors.ts';
import { parsePattern } from '../listing/pattern.ts';
import { suggestion } from '../profiles/nearest.ts';

export const hostName = z
  .string()
  .max(253)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
    "must be of letters, digits, '.', '_' and '-', and begin with a letter or digit",
  );

/** An IP address or a host's name. What looks like an IPv4 address and is none would be looked up as a name. */
export const addressSchema = z
  .string()
  .max(300)
  .check((context) => {
    const problem = addressProblem(context.value);
    if (problem !== undefined) {
      context.issues.push({ code: 'custom', message: `'${context.value}' ${problem}`, input: context.value });
    }
  });

function addressProblem(text: string): string | undefined {
  if (isIP(text) !== 0) return undefined;
  if (text.includes('@')) return "is no address: give the user as 'user:'";
  if (/^[^:]+:\d+$/.test(text)) return "is no address: give the port as 'port:'";
  if (/^[\d.]+$/.test(text)) return 'is no IPv4 address';
  if (text.includes(':')) return 'is no IPv6 address';
  if (/^[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?\.?$/.test(text) && !text.includes('..') && text.length <= 253)
    return undefined;
  return "is neither an IP address nor a host's name";
}

export const userSchema = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.@\\+-]*\$?$/, 'is not the name of a user');

export const portSchema = z.int().min(1).max(65_535);

export const identitySchema = z.string().min(1).max(4096);

export const patternSchema = z.string().check((context) => {
  try {
    parsePattern(context.value);
  } catch (error) {
    context.issues.push({ code: 'custom', message: messageOf(error), input: context.value });
  }
});

const PLACEHOLDERS = ['host', 'date'];

/** A template; whether what comes of it is a valid reference is checked where references are known. */
export const tagSchema = z
  .string()
  .min(1)
  .max(512)
  .check((context) => {
    const say = (message: string) => context.issues.push({ code: 'custom', message, input: context.value });
    for (const [, word] of context.value.matchAll(/\{\{\s*([^{}]*?)\s*\}\}/g)) {
      const name = word ?? '';
      if (!PLACEHOLDERS.includes(name)) {
        say(`'{{${name}}}' is no placeholder; there are {{host}} and {{date}}${suggestion(name, PLACEHOLDERS)}`);
      }
    }
    if (/[{}]/.test(context.value.replace(/\{\{[^{}]*\}\}/g, ''))) say("has a brace that belongs to no '{{…}}'");
  });
