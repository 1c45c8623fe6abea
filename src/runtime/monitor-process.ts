/**
 * The processes that become monitors. One is begun before it is known of which container: it loads its modules while
 * whoever starts the container loads its own and prepares that, and is told on its standard input. Where nothing comes of it,
 * it hears that input end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { childEnvironment } from './child-environment.ts';
import { closeInheritedFiles } from './engines/inherited-files.ts';

/** The hidden verb. */
export const MONITOR_VERB = '__monitor';
/** A process's title has the room that its arguments took. */
const ROOM_FOR_TITLE = '-'.repeat(100);

let ahead: ChildProcess | undefined;

/** For verbs that will most likely start a container. */
export function beginMonitor(): void {
  ahead = begin();
  // Not even for the moment that it takes to hear of the end.
  process.once('exit', () => ahead?.kill('SIGKILL'));
}

/** One that was begun, or a new one. */
export function takeMonitor(): ChildProcess {
  const taken = ahead ?? begin();
  ahead = undefined;
  return taken;
}

function begin(): ChildProcess {
  closeInheritedFiles();
  const words = [...process.execArgv, process.argv[1] ?? '', MONITOR_VERB, ROOM_FOR_TITLE];
  const child = spawn(process.execPath, words, {
    // What Node was told to import may be meant from here.
    cwd: process.execArgv.length > 0 ? process.cwd() : '/',
    env: childEnvironment(),
    detached: true,
    // It has a file for its errors once it has a container.
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  // Then it says nothing, and that is heard.
  child.on('error', () => {});
  child.stdin.on('error', () => {});
  return child;
}
