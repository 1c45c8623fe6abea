/** Buffers that begin on a page of memory, as direct I/O wants them (open(2), O_DIRECT). They are kept and lent again. */

/** Of one buffer. A multiple of every block size that disks and filesystems have. */
export const PAGE_BUFFER_BYTES = 1024 * 1024;

/** The types of Node leave it out. Its memory is the one that JavaScript gets in whole pages (64 KiB, core spec 4.2.8). */
declare const WebAssembly: {
  readonly Memory: new (limits: {
    readonly initial: number;
    readonly maximum: number;
  }) => { readonly buffer: ArrayBuffer };
};

const WASM_PAGE = 64 * 1024;
/** Made at once: each memory takes much of the address space for itself, though nothing of the machine's memory. */
const BATCH = 4;

const idle: Buffer[] = [];

/** Its bytes are whatever the last borrower left. */
export function borrowPageBuffer(): Buffer {
  const buffer = idle.pop();
  if (buffer !== undefined) return buffer;
  const pages = (BATCH * PAGE_BUFFER_BYTES) / WASM_PAGE;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages }).buffer;
  for (let at = PAGE_BUFFER_BYTES; at < memory.byteLength; at += PAGE_BUFFER_BYTES) {
    idle.push(Buffer.from(memory, at, PAGE_BUFFER_BYTES));
  }
  return Buffer.from(memory, 0, PAGE_BUFFER_BYTES);
}

/** Nobody may write from or into it any more. */
export function returnPageBuffer(buffer: Buffer): void {
  idle.push(buffer);
}
