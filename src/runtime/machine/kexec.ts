/** Whether a kernel can be loaded on this machine beside the one that runs, for its next reboot (kexec_load(2)). */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @param root where `proc` and `sys` lie. */
export function loadsKernels(root = '/'): boolean {
  const disabled = join(root, 'proc/sys/kernel/kexec_load_disabled');
  if (existsSync(disabled)) return readFileSync(disabled, 'latin1').trim() !== '1';
  // Kernels before 3.14 have no such switch.
  return existsSync(join(root, 'sys/kernel/kexec_loaded'));
}
