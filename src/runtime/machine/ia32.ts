/** Whether this machine runs 32-bit x86 programs: tried with one of 93 bytes. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf, systemCode } from '../../errors.ts';
import type { Ability } from './ability.ts';

const run = promisify(execFile);

const BASE = 0x08048000;
const HEADERS = 52 + 32;
/** `mov eax, 1; xor ebx, ebx; int 0x80`: exit(0) by the 32-bit system call. */
const CODE = [0xb8, 1, 0, 0, 0, 0x31, 0xdb, 0xcd, 0x80];

/** An ELF32 executable for i386 (System V ABI, chapter 4: ELF header, one program header of type PT_LOAD). */
export function smallestProgram(): Buffer {
  const size = HEADERS + CODE.length;
  const file = Buffer.alloc(size);
  file.write('\x7fELF\x01\x01\x01', 'latin1');
  const header = [2, 3];
  header.forEach((value, index) => {
    file.writeUInt16LE(value, 16 + index * 2);
  });
  [1, BASE + HEADERS, 52, 0, 0].forEach((value, index) => {
    file.writeUInt32LE(value, 20 + index * 4);
  });
  [52, 32, 1, 40, 0, 0].forEach((value, index) => {
    file.writeUInt16LE(value, 40 + index * 2);
  });
  [1, 0, BASE, BASE, size, size, 5, 0x1000].forEach((value, index) => {
    file.writeUInt32LE(value, 52 + index * 4);
  });
  file.set(CODE, HEADERS);
  return file;
}

/** Runs it. A temporary folder from which nothing may be run leaves the question open. */
export async function probeIa32(folder = tmpdir()): Promise<Ability> {
  const place = await mkdtemp(join(folder, 'p2c-ia32-'));
  try {
    const program = join(place, 'exit');
    await writeFile(program, smallestProgram(), { mode: 0o700 });
    await run(program);
    return { able: true };
  } catch (error) {
    if (systemCode(error) === 'EACCES') return { able: 'unknown', reason: `${folder} is mounted noexec` };
    return { able: false, reason: `the kernel refuses 32-bit x86 programs (${systemCode(error) ?? messageOf(error)})` };
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}
