/** The compiled filter, run by a small interpreter of its own: each call gets what the profile's rules say. */
import test from 'ava';
import { compileSeccomp } from '../../../src/runtime/seccomp/compile.ts';
import { seccompProfile } from '../../../src/runtime/seccomp/profile.ts';

const [X86_64, I386, AARCH64] = [0xc000003e, 0x40000003, 0xc00000b7];
const ALLOWED = 'allowed';

/** As the kernel runs it (Documentation/networking/filter.rst), for the instructions that there are. */
function run(program: Buffer, audit: number, call: number, args: readonly number[] = []): string {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call, 0);
  data.writeUInt32LE(audit, 4);
  for (const [at, value] of args.entries()) data.writeUInt32LE(value, 16 + 8 * at);
  let accumulator = 0;
  for (let at = 0; at < program.length / 8; at += 1) {
    const [code, yes, no, value] = [
      program.readUInt16LE(at * 8),
      program.readUInt8(at * 8 + 2),
      program.readUInt8(at * 8 + 3),
      program.readUInt32LE(at * 8 + 4),
    ];
    if (code === 0x20) accumulator = data.readUInt32LE(value);
    else if (code === 0x54) accumulator = (accumulator & value) >>> 0;
    else if (code === 0x05) at += value;
    else if (code === 0x15) at += accumulator === value ? yes : no;
    else if (code === 0x25) at += accumulator > value ? yes : no;
    else if (code === 0x06) return value === 0x7fff0000 ? ALLOWED : `errno ${value & 0xffff}`;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error('the program ran out of its end');
}

const compiled = (capabilities: readonly string[], architecture = 'x64'): Buffer =>
  compileSeccomp(seccompProfile(capabilities), architecture) ?? Buffer.alloc(0);
const plain = compiled([]);

for (const [what, audit, call, args, verdict] of [
  ['read', X86_64, 0, [], ALLOWED],
  ['read of 32 bits', I386, 3, [], ALLOWED],
  ['mount', X86_64, 165, [], 'errno 1'],
  ['mount of 32 bits', I386, 21, [], 'errno 1'],
  ['keyctl', X86_64, 250, [], 'errno 1'],
  ['keyctl of 32 bits', I386, 288, [], 'errno 1'],
  ['open_by_handle_at', X86_64, 304, [], 'errno 1'],
  ['bpf', X86_64, 321, [], 'errno 1'],
  ['reboot, which ends the PID namespace', X86_64, 169, [], ALLOWED],
  ['clone of a process', X86_64, 56, [0x01200011], ALLOWED],
  ['clone of a thread', X86_64, 56, [0x003d0f00], ALLOWED],
  ['clone into a user namespace', X86_64, 56, [0x10000011], 'errno 1'],
  ['clone into a mount namespace, 32 bits', I386, 120, [0x00020011], 'errno 1'],
  ['clone3, which a libc does without', X86_64, 435, [], 'errno 38'],
  ['a socket of the network', X86_64, 41, [2, 1, 0], ALLOWED],
  ['a socket to the hypervisor', X86_64, 41, [40, 1, 0], 'errno 38'],
  ['personality: a kernel 2.6 of 32 bits', X86_64, 135, [0x20008], ALLOWED],
  ['personality: none that old programs know', X86_64, 135, [0x0400000], 'errno 38'],
  ['a call of tomorrow', X86_64, 999, [], 'errno 38'],
  ['a call of x32', X86_64, 0x40000000, [], 'errno 38'],
  ['a call of another machine', AARCH64, 63, [], 'errno 38'],
  ['old stat of 32 bits', I386, 18, [], ALLOWED],
] as const) {
  test(`${what}: ${verdict}`, (t) => t.is(run(plain, audit, call, args), verdict));
}

test('a capability opens what it is for, and nothing else', (t) => {
  const admin = compiled(['CAP_SYS_ADMIN']);
  t.is(run(admin, X86_64, 165), ALLOWED);
  t.is(run(admin, X86_64, 56, [0x10000011]), ALLOWED);
  t.is(run(admin, X86_64, 250), 'errno 1');
  t.is(run(admin, X86_64, 304), 'errno 1');
  t.is(run(compiled(['CAP_DAC_READ_SEARCH']), X86_64, 304), ALLOWED);
});

test('another machine’s calls have other numbers; of an unknown one there is no filter', (t) => {
  const arm = compiled([], 'arm64');
  t.is(run(arm, AARCH64, 63), ALLOWED);
  t.is(run(arm, AARCH64, 40), 'errno 1');
  t.is(compileSeccomp(seccompProfile([]), 'riscv64'), undefined);
});

test('no call is allowed and refused at once', (t) => {
  for (const capabilities of [[], ['CAP_SYS_ADMIN', 'CAP_SYS_CHROOT'], ['CAP_SYS_TIME']]) {
    const whole = seccompProfile(capabilities).syscalls.filter(({ args }) => args === undefined);
    const names = whole.flatMap(({ names }) => names);
    t.deepEqual(
      names.filter((name, at) => names.indexOf(name) !== at),
      [],
    );
  }
});
