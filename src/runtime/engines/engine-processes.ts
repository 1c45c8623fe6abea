/** The processes by which engines start containers, found where nobody noted them: whoever started them was killed. */
import { readdirSync, readFileSync } from 'node:fs';
import { identifyProcess, type ProcessIdentity } from '../process.ts';
import { EXEC, MOUNT_ROOT } from './oci-scripts.ts';
import { INIT, JOIN, SETUP, TERMINALS } from './setup-script.ts';

const SCRIPTS = [INIT, JOIN, SETUP, TERMINALS, EXEC, MOUNT_ROOT].map(unquoted);

export interface CommandLine {
  readonly process: ProcessIdentity;
  readonly words: readonly string[];
}

/** Of all processes of this machine. */
export function commandLines(): CommandLine[] {
  return readdirSync('/proc').flatMap((name) => {
    const process = /^[0-9]+$/.test(name) ? identifyProcess(Number(name)) : undefined;
    return process === undefined ? [] : [{ process, words: wordsOf(process.pid) }];
  });
}

/** @param folder a container's. @returns those that start it or something in it, and those that carry it out. */
export function engineProcesses(folder: string, all: readonly CommandLine[]): ProcessIdentity[] {
  return all.filter(({ words }) => isOfEngine(words, folder)).map(({ process }) => process);
}

function isOfEngine(words: readonly string[], folder: string): boolean {
  if (!words.some((word) => word.includes(folder))) return false;
  // Under a terminal, all of it is one quoted word.
  const text = unquoted(words.join(' '));
  // Nobody else gives a runtime this folder for its records.
  return text.includes(`--root ${folder}/runtime `) || SCRIPTS.some((script) => text.includes(script));
}

function unquoted(text: string): string {
  return text.replaceAll(/['\\]/g, '');
}

function wordsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
