import test from 'ava';
import { engineProcesses } from '../../../src/runtime/engines/engine-processes.ts';
import { MOUNT_ROOT } from '../../../src/runtime/engines/oci-scripts.ts';
import { underTerminal } from '../../../src/runtime/engines/pseudo-terminal.ts';
import { JOIN, SETUP } from '../../../src/runtime/engines/setup-script.ts';

const FOLDER = `/var/lib/p2c/containers/${'a'.repeat(64)}`;
const OTHER = `/var/lib/p2c/containers/${'b'.repeat(64)}`;

function found(words: readonly string[]): boolean {
  return engineProcesses(FOLDER, [{ process: { pid: 7, startTime: '1' }, words }]).length === 1;
}

test('who starts a container is known by the scripts and the folder, under a terminal too', (t) => {
  const setup = (folder: string) => [
    'sh',
    '-c',
    JOIN,
    'sh',
    '--',
    'unshare',
    'sh',
    '-c',
    SETUP,
    'sh',
    `${folder}/root`,
  ];
  t.true(found(setup(FOLDER)));
  t.true(found(underTerminal(setup(FOLDER), 0)));
  t.true(found(underTerminal(['sh', '-c', MOUNT_ROOT, 'sh', FOLDER, 'rw', '--', 'runc'], 0)));
  t.true(found(['/usr/sbin/runc', '--root', `${FOLDER}/runtime`, 'run', '--bundle', FOLDER, 'x']));
  t.false(found(setup(OTHER)));
});

test('whoever only looks at a container is none of its engine', (t) => {
  for (const words of [
    ['ls', `${FOLDER}/root`],
    ['grep', '-r', 'x', FOLDER],
    ['sh', '-c', `cat ${FOLDER}/log`],
    [''],
  ]) {
    t.false(found(words), words.join(' '));
  }
});
