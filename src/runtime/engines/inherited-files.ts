/** Descriptors that whoever started p2c left open: a container must not have them. */
import { closeSync, readdirSync, readFileSync } from 'node:fs';

/** `O_CLOEXEC` in the octal flags of `/proc/PID/fdinfo/N`; all that Node opens has it. */
const CLOSE_ON_EXEC = 0o2000000;

/** Closes what is beyond the standard three and would be handed on to a started program. */
export function closeInheritedFiles(): void {
  for (const name of readdirSync('/proc/self/fdinfo')) {
    const descriptor = Number(name);
    if (descriptor > 2 && isInheritable(name)) closeSync(descriptor);
  }
}

function isInheritable(name: string): boolean {
  try {
    const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${name}`, 'latin1'))?.[1];
    return flags !== undefined && (Number.parseInt(flags, 8) & CLOSE_ON_EXEC) === 0;
  } catch {
    // The listing's own descriptor is gone by now.
    return false;
  }
}
