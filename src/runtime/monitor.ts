/** The monitor: a process of p2c's own that looks after a container in the background. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { errorRecord, P2cError } from '../errors.ts';
import { type Container, containerFolder, readContainer } from './container.ts';
import { closeInheritedFiles } from './engines/inherited-files.ts';
import { supervise } from './supervise.ts';

/** The hidden verb that this file's two halves speak through. */
export const MONITOR_VERB = '__monitor';

const wordSchema = z.union([
  z.object({ started: z.literal(true) }),
  z.object({ error: z.object({ code: z.string(), message: z.string(), causes: z.array(z.string()) }) }),
]);

/** A monitor says one line; more is none. */
const LONGEST_WORD = 64 * 1024;

/**
 * Starts a container with a monitor and returns once it runs.
 * @throws P2cError what the monitor met, where it could not be started.
 */
export async function startMonitored(root: string, { folder, definition }: Container): Promise<void> {
  closeInheritedFiles();
  const errors = openSync(join(folder, 'monitor.err'), 'w', 0o600);
  const words = [...process.execArgv, process.argv[1] ?? '', MONITOR_VERB, root, definition.id];
  const monitor = spawn(process.execPath, words, {
    // What Node was told to import may be meant from here.
    cwd: process.execArgv.length > 0 ? process.cwd() : '/',
    detached: true,
    stdio: ['ignore', 'pipe', errors],
  });
  closeSync(errors);
  const failed = new Promise<never>((_, reject) => monitor.once('error', reject));
  const channel = monitor.stdout ?? Readable.from([]);
  const said = await Promise.race([firstLine(channel), failed]);
  monitor.unref();
  channel.destroy();
  const word = parseWord(said);
  if ('started' in word) return;
  const { code, message, causes } = word.error;
  throw new P2cError(message, { code, cause: causes[0] === undefined ? undefined : new Error(causes[0]) });
}

/** The monitor's side: the verb's whole work. */
export async function monitorContainer(root: string, id: string): Promise<void> {
  const container = await readContainer(containerFolder(root, id));
  let told = false;
  const tell = (word: z.input<typeof wordSchema>): void => {
    if (told) return;
    told = true;
    process.stdout.write(`${JSON.stringify(word)}\n`);
  };
  try {
    await supervise(root, container, { input: false, started: () => tell({ started: true }) });
  } catch (error) {
    if (told) throw error;
    tell({ error: errorRecord(error) });
  }
}

function parseWord(text: string): z.output<typeof wordSchema> {
  try {
    return wordSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new P2cError('the monitor of the container ended before it ran', { code: 'monitor.ended', cause });
  }
}

async function firstLine(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of stream) {
    text += chunk.toString('utf8');
    if (text.includes('\n') || text.length > LONGEST_WORD) break;
  }
  return text;
}
