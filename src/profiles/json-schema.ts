/** The form of a profile as JSON Schema (draft 2020-12), for editors. */
import * as z from 'zod';
import { profileSchema } from './schema.ts';

/** The text of `profiles/profile.schema.json`: what a file may hold, before quantities are parsed. */
export function profileJsonSchema(): string {
  const schema = z.toJSONSchema(profileSchema, { io: 'input' });
  return `${JSON.stringify({ title: 'p2c profile', ...schema }, null, 2)}\n`;
}
