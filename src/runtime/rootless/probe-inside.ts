/** Whether p2c's own engine runs a container without root, found out by having it run one. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { messageOf } from '../../errors.ts';
import { namespacesEngine } from '../engines/namespaces.ts';
import { probeRuntime } from '../engines/probe.ts';
import { type Ability, unable } from '../machine/ability.ts';
import { makeTemporary } from '../owned-name.ts';
import { startInside } from './enter.ts';

/** The hidden verb that this file's two halves speak through. */
export const PROBE_VERB = '__probe';

const LONGEST_ANSWER = 4096;

/** @param root the store's: where there is none yet, none is made, and a folder that goes again stands for it. */
export async function probeInside(root: string): Promise<Ability> {
  const stand = existsSync(root) ? undefined : await makeTemporary('store');
  try {
    const { output, errors, ended } = await startInside(stand ?? root, [PROBE_VERB], 'pipe');
    errors?.resume();
    let answer = '';
    output?.setEncoding('utf8').on('data', (text: string) => {
      if (answer.length < LONGEST_ANSWER) answer += text;
    });
    const code = await ended;
    if (code === 0 && answer.trim() === '') return { able: true };
    return unable(answer.trim() || `the probe ended with exit code ${code}`);
  } catch (error) {
    return unable(messageOf(error));
  } finally {
    if (stand !== undefined) await rm(stand, { recursive: true, force: true });
  }
}

/** The process's side: the verb's whole work. Says why it does not, and nothing where it does. */
export async function answerProbe(): Promise<void> {
  process.stdout.write((await probeRuntime(namespacesEngine)) ?? '');
}
