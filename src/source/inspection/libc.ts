/** The C library of a server, and how wide its programs are: both decide what a newer kernel must offer. */
import { type Fact, known } from './fact.ts';
import type { Answers, Section } from './sections.ts';

export interface Libc {
  readonly kind: 'glibc' | 'musl' | 'uClibc';
  /** `2.5`; empty where it is not told. */
  readonly version: string;
}

export const LIBC_SECTIONS: readonly Section[] = [
  { name: 'getconf', script: 'getconf GNU_LIBC_VERSION', maxBytes: 256 },
  { name: 'ldd', script: 'ldd --version 2>&1 | sed -n 1,3p', maxBytes: 1024 },
  {
    name: 'libraries',
    script:
      'ls -d /lib/libc-*.so /lib64/libc-*.so /lib/tls/libc-*.so /lib/*/libc-*.so /lib/*/libc.so.6 /lib64/libc.so.6 /lib/libc.so.6 /lib/ld-musl-*.so.1 /lib/ld-uClibc*',
    maxBytes: 4096,
  },
  // The program of process 1 is the server's own in any case; /bin/sh where that may not be read.
  { name: 'elf', script: 'od -An -tx1 -N20 /proc/1/exe || od -An -tx1 -N20 /bin/sh', maxBytes: 256 },
];

export function readLibc(answers: Answers): Fact<Libc> {
  const gnu = /^glibc (\d[\d.]*)/.exec(answers.line('getconf'))?.[1];
  if (gnu !== undefined) return known({ kind: 'glibc', version: gnu });
  const ldd = answers.text('ldd');
  if (/musl/i.test(ldd)) return known({ kind: 'musl', version: /Version (\S+)/.exec(ldd)?.[1] ?? '' });
  const said = /^ldd \(.*\) (\d[\d.]*)/m.exec(ldd)?.[1];
  if (said !== undefined) return known({ kind: 'glibc', version: said });
  return fromFiles(answers);
}

function fromFiles(answers: Answers): Fact<Libc> {
  const files = answers.lines('libraries');
  const versions = files.flatMap((file) => /\/libc-(\d+\.[\d.]+)\.so$/.exec(file)?.[1] ?? []);
  const [version] = versions;
  if (version !== undefined) return known({ kind: 'glibc', version });
  if (files.some((file) => file.includes('/ld-musl-'))) return known({ kind: 'musl', version: '' });
  const micro = files.find((file) => file.includes('/ld-uClibc'));
  if (micro !== undefined) return known({ kind: 'uClibc', version: /-(\d[\d.]*)\.so/.exec(micro)?.[1] ?? '' });
  if (files.some((file) => file.endsWith('/libc.so.6')))
    return known({ kind: 'glibc', version: '' }, 'its version is not told');
  return answers.none('no C library was found in /lib: the programs are linked statically, or it lies elsewhere');
}

/** Byte 4 of an ELF header is its class (System V ABI, chapter 4): 1 is 32 bits, 2 is 64. */
export function readUserlandBits(answers: Answers): Fact<32 | 64> {
  const bytes = answers.text('elf').trim().split(/\s+/);
  if (bytes.slice(0, 4).join('') !== '7f454c46') return answers.none('its programs cannot be read, or od is missing');
  if (bytes[4] === '01') return known(32);
  return bytes[4] === '02' ? known(64) : answers.none(`its programs have the unknown ELF class ${bytes[4]}`);
}
