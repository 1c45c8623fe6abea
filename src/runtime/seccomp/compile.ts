/**
 * A seccomp filter as the kernel takes it: a program of classic BPF over `struct seccomp_data` (seccomp(2), linux/filter.h).
 * What libseccomp does for an OCI runtime, for the few kinds of rules that p2c's own profile has.
 */
import type { Seccomp, SyscallRule } from '../spec.ts';
import { type CallTable, callTables } from './numbers.ts';

type Argument = NonNullable<SyscallRule['args']>[number];
type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/** BPF_LD|BPF_W|BPF_ABS, BPF_JMP|{BPF_JEQ,BPF_JGT}|BPF_K, BPF_ALU|BPF_AND|BPF_K, BPF_RET|BPF_K. */
const [LOAD, EQUAL, GREATER, AND, RETURN] = [0x20, 0x15, 0x25, 0x54, 0x06];
/** Offsets in `struct seccomp_data`: the call's number, AUDIT_ARCH, the low half of the first argument. */
const [NUMBER, ARCHITECTURE, ARGUMENTS] = [0, 4, 16];
const RET_ALLOW = 0x7fff0000;
const RET_ERRNO = 0x00050000;
/** Of linux/bpf_common.h, BPF_MAXINSNS. */
const LONGEST = 4096;

/** What a call gets: at once, or by its arguments. */
interface Verdict {
  readonly result: number;
  readonly allowedIf: readonly Argument[];
}

/**
 * @param architecture as Node names it.
 * @returns `struct sock_filter`s one after the other; undefined where p2c does not know the machine's calls.
 */
export function compileSeccomp(seccomp: Seccomp, architecture: string): Buffer | undefined {
  const tables = callTables(architecture);
  if (tables.length === 0) return undefined;
  const unknown: Instruction = [RETURN, 0, 0, RET_ERRNO | seccomp.defaultErrnoRet];
  const blocks = tables.map((table) => [...tableBlock(seccomp, table), unknown]);
  const program: Instruction[] = [[LOAD, 0, 0, ARCHITECTURE]];
  for (const [at, block] of blocks.entries()) {
    // A jump reaches 255 instructions, a block is longer: it is jumped over by a jump without a condition.
    program.push([EQUAL, 1, 0, tables[at]?.audit ?? 0], [0x05, 0, 0, block.length + 1], [LOAD, 0, 0, NUMBER], ...block);
  }
  program.push(unknown);
  if (program.length > LONGEST) return undefined;
  return encode(program);
}

/** Runs of numbers with one verdict are one comparison. Calls of x32, which have a high bit set, are beyond the last run. */
function tableBlock({ syscalls, defaultErrnoRet }: Seccomp, { names }: CallTable): Instruction[] {
  const verdicts = verdictsOf(syscalls);
  const unknown: Verdict = { result: RET_ERRNO | defaultErrnoRet, allowedIf: [] };
  const last = Math.max(...names.keys());
  const instructions: Instruction[] = [];
  const verdictOf = (number: number): Verdict => verdicts.get(names.get(number) ?? '') ?? unknown;
  for (let number = 0; number <= last; number += 1) {
    const verdict = verdictOf(number);
    while (number < last && isSame(verdict, verdictOf(number + 1))) number += 1;
    const body = verdictBody(verdict);
    instructions.push([GREATER, body.length, 0, number], ...body);
  }
  return instructions;
}

function isSame(one: Verdict, other: Verdict): boolean {
  return one.allowedIf.length === 0 && other.allowedIf.length === 0 && one.result === other.result;
}

function verdictBody({ result, allowedIf }: Verdict): Instruction[] {
  const checks = allowedIf.flatMap(({ index, value, valueTwo, op }): Instruction[] => {
    const load: Instruction = [LOAD, 0, 0, ARGUMENTS + 8 * index];
    const allow: Instruction = [RETURN, 0, 0, RET_ALLOW];
    if (op === 'SCMP_CMP_EQ') return [load, [EQUAL, 0, 1, value], allow];
    if (op === 'SCMP_CMP_NE') return [load, [EQUAL, 1, 0, value], allow];
    if (op === 'SCMP_CMP_MASKED_EQ') return [load, [AND, 0, 0, value], [EQUAL, 0, 1, valueTwo ?? 0], allow];
    throw new Error(`the operator ${op} is not one that p2c uses`);
  });
  return [...checks, [RETURN, 0, 0, result]];
}

/**
 * Rules of one call that look at arguments permit it where any of them holds; else it is not known, or fails as rules say
 * that refuse it for others.
 */
function verdictsOf(rules: readonly SyscallRule[]): Map<string, Verdict> {
  const verdicts = new Map<string, Verdict>();
  for (const { names, action, errnoRet, args } of rules) {
    for (const name of names) {
      const allowed = action === 'SCMP_ACT_ALLOW';
      if (args === undefined) {
        verdicts.set(name, { result: allowed ? RET_ALLOW : RET_ERRNO | (errnoRet ?? 1), allowedIf: [] });
      } else if (allowed) {
        const { result = RET_ERRNO | 38, allowedIf = [] } = verdicts.get(name) ?? {};
        verdicts.set(name, { result, allowedIf: [...allowedIf, ...args] });
      } else {
        verdicts.set(name, { result: RET_ERRNO | (errnoRet ?? 1), allowedIf: verdicts.get(name)?.allowedIf ?? [] });
      }
    }
  }
  return verdicts;
}

/** Both machines that p2c knows the calls of have the low byte first. */
function encode(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8);
  for (const [at, [code, ifTrue, ifFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, at * 8);
    bytes.writeUInt8(ifTrue, at * 8 + 2);
    bytes.writeUInt8(ifFalse, at * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, at * 8 + 4);
  }
  return bytes;
}
