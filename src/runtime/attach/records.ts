/** The frames that hold a JSON object. */
import * as z from 'zod';

/** The first frame of whoever attaches: what it wants. */
export const helloSchema = z.object({ input: z.boolean(), output: z.boolean() });
export type Hello = z.output<typeof helloSchema>;

export const terminalSizeSchema = z.object({ rows: z.int().min(1).max(65535), columns: z.int().min(1).max(65535) });
export type TerminalSize = z.output<typeof terminalSizeSchema>;

/** The last frame of a monitor. */
export const endedSchema = z.object({ exitCode: z.int(), error: z.string().optional() });
export type Ended = z.output<typeof endedSchema>;
