/** How the bulk of a capture travels: whether compressed, and with what. Chosen once, before anything is stopped. */
import { usageError } from '../errors.ts';
import { COMPRESSORS, type Compressor, compressed, readableHere } from './compression.ts';
import type { RemoteCommand, Session } from './session.ts';

/** As `--compress` has it; `ssh` is the connection's own compression. */
export const COMPRESSIONS = ['auto', 'none', ...COMPRESSORS, 'ssh'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

export interface Wire {
  readonly compression: Exclude<Compression, 'auto'>;
  /** Why, in words. */
  readonly reason: string;
  /** What was measured: bytes of content a second. */
  readonly measured: readonly { readonly compression: 'none' | Compressor; readonly bytesPerSecond: number }[];
}

/** Below this, measuring costs more than it can save. */
const LEAST_BYTES = 256 * 1024 * 1024;
/** Bytes a second above which no compressor of one processor is faster than the link. */
const FAST = 60_000_000;
/** How much faster a compressor must be than none: it takes the source's processor. */
const WORTH = 1.25;
const SAMPLE_BYTES = 16 * 1024 * 1024;
const SAMPLE_MS = 2000;

/** Programs and libraries: every server has some, they are about as dense as what else lies there. */
const SAMPLE = `cat /usr/bin/* /usr/lib/*.so* /usr/lib/*/*.so* /bin/* /lib/*.so* 2>/dev/null | head -c ${SAMPLE_BYTES}`;

/**
 * @param bytes about how much is to be sent.
 * @throws P2cError where what was asked for is not there on one of the two machines.
 */
export async function chooseWire(session: Session, asked: Compression, bytes: number): Promise<Wire> {
  if (asked === 'none' || asked === 'ssh') return { compression: asked, reason: 'as asked for', measured: [] };
  if (asked === 'auto') return bytes < LEAST_BYTES ? tooLittle() : measureAll(session);
  const here = await readableHere();
  const missing = here.includes(asked)
    ? (await onSource(session)).includes(asked)
      ? undefined
      : session.target.name
    : 'this machine';
  if (missing === undefined) return { compression: asked, reason: 'as asked for', measured: [] };
  throw usageError(`--compress ${asked}: there is no ${asked} on ${missing}`, {
    code: 'ssh.compression',
    hint: `install it there, or let p2c choose among what is there: --compress auto`,
  });
}

/** The command as it is sent over this wire. */
export function over(wire: Pick<Wire, 'compression'>, command: RemoteCommand): RemoteCommand {
  const { compression } = wire;
  return compression === 'none' || compression === 'ssh' ? command : compressed(command, compression);
}

function tooLittle(): Wire {
  return { compression: 'none', reason: 'there is too little to send for it to matter', measured: [] };
}

async function onSource(session: Session): Promise<readonly Compressor[]> {
  const script = `for tool in ${COMPRESSORS.join(' ')}; do command -v $tool >/dev/null 2>&1 && echo $tool; done; :`;
  const { stdout } = await session.run({ purpose: 'see what compresses there', script });
  const said = stdout.toString().split('\n');
  return COMPRESSORS.filter((name) => said.includes(name));
}

async function measureAll(session: Session): Promise<Wire> {
  // Into the source's memory first, or whoever is measured first would wait for its disk.
  await session.run({ purpose: 'read the sample', script: `${SAMPLE} >/dev/null` });
  const plain = await measure(session, undefined);
  const measured: Wire['measured'][number][] = [{ compression: 'none', bytesPerSecond: plain }];
  if (plain >= FAST) return choose(measured, 'the link is faster than compressing would be');
  const here = await readableHere();
  const there = await onSource(session);
  for (const compression of COMPRESSORS.filter((name) => here.includes(name) && there.includes(name))) {
    measured.push({ compression, bytesPerSecond: await measure(session, compression) });
  }
  if (measured.length === 1) return choose(measured, 'no compressor is on both machines');
  const best = measured.reduce((one, other) => (other.bytesPerSecond > one.bytesPerSecond ? other : one));
  return best.bytesPerSecond >= plain * WORTH
    ? choose(measured, 'the fastest over this link', best.compression)
    : choose(measured, 'nothing is much faster over this link');
}

function choose(measured: Wire['measured'], why: string, compression: 'none' | Compressor = 'none'): Wire {
  const rates = measured.map((item) => `${item.compression} ${(item.bytesPerSecond / 1e6).toFixed(1)} MB/s`);
  return { compression, reason: `${why} (${rates.join(', ')})`, measured };
}

/** Bytes of content a second, from the first that comes to the last, or to the end of the time. */
async function measure(session: Session, compressor: Compressor | undefined): Promise<number> {
  const name = compressor ?? 'none';
  const command = { purpose: `measure the link: ${name}`, script: SAMPLE };
  const stream = await session.stream(compressor === undefined ? command : compressed(command, compressor));
  let began: number | undefined;
  let first = 0;
  let bytes = 0;
  for await (const chunk of stream.stdout) {
    bytes += chunk.length;
    if (began === undefined) {
      began = performance.now();
      first = chunk.length;
    } else if (performance.now() - began > SAMPLE_MS) break;
  }
  const seconds = (performance.now() - (began ?? performance.now())) / 1000;
  return bytes > first && seconds > 0 ? (bytes - first) / seconds : 0;
}
