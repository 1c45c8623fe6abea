/** One test for each engine: what a container is must not depend on who runs it. */
import test, { type ExecutionContext } from 'ava';
import pLimit from 'p-limit';
import type { EngineName } from '../../src/runtime/options.ts';
import { requirePrograms, requireRoot } from './require.ts';
import { type MakeRunner, runnerOn } from './runner.ts';

/** The OCI runtime is runc: the crun of Debian 12 does not work on machines with hybrid cgroups. */
const ENGINES = ['namespaces', 'runc'] as const satisfies readonly EngineName[];

const NEEDED = ['busybox', 'unshare', 'nsenter', 'setpriv', 'prlimit', 'script', 'tar', 'perl', 'runc'];

/** ava begins all tests of a file at once: containers by the dozen would only wait for each other. */
const few = pLimit(4);

/** @param work gets what makes a runner whose containers that engine runs. */
export function onEachEngine(
  title: string,
  work: (t: ExecutionContext, runner: MakeRunner, engine: EngineName) => Promise<void>,
): void {
  for (const engine of ENGINES) {
    test(`${engine}: ${title}`, async (t) => {
      if (requireRoot(t) && requirePrograms(t, NEEDED)) await few(() => work(t, runnerOn(engine), engine));
    });
  }
}
