import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { keptCapabilities } from '../../../src/runtime/engines/command-words.ts';
import { loadsKernels } from '../../../src/runtime/machine/kexec.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

test('a kernel can be loaded where the machine has the call and has not forbidden it', async (t) => {
  const root = await temporaryFolder(t);
  t.false(loadsKernels(root));
  await mkdir(join(root, 'sys/kernel'), { recursive: true });
  await writeFile(join(root, 'sys/kernel/kexec_loaded'), '0\n');
  t.true(loadsKernels(root));
  await mkdir(join(root, 'proc/sys/kernel'), { recursive: true });
  const disabled = join(root, 'proc/sys/kernel/kexec_load_disabled');
  await writeFile(disabled, '1\n');
  t.false(loadsKernels(root));
  await writeFile(disabled, '0\n');
  t.true(loadsKernels(root));
});

test('without a filter no container may load one, unless it is privileged', (t) => {
  const own = ['CAP_CHOWN', 'CAP_SYS_BOOT'];
  t.deepEqual(keptCapabilities(own, true), ['CAP_CHOWN']);
  t.deepEqual(keptCapabilities(own, false), own);
  const privileged = [...own, 'CAP_SYS_ADMIN'];
  t.deepEqual(keptCapabilities(privileged, true), privileged);
});
