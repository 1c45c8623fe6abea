/**
 * What a monitor and those who are attached to its container say to each other over a socket: frames of a kind (one
 * byte), a length (four bytes, big-endian) and so many bytes. Both ends are this version of p2c, and the socket is root's.
 */
import { P2cError } from '../../errors.ts';

const KINDS = ['hello', 'input', 'input-end', 'resize', 'stdout', 'stderr', 'ended'] as const;
export type FrameKind = (typeof KINDS)[number];

export interface Frame {
  readonly kind: FrameKind;
  readonly content: Buffer;
}

const HEAD = 5;
/** Output is cut into frames by the pipe it comes from; what claims to be longer is no frame. */
const LONGEST = 4 * 1024 * 1024;

export function encodeFrame(kind: FrameKind, content: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(HEAD);
  head.writeUInt8(KINDS.indexOf(kind));
  head.writeUInt32BE(content.length, 1);
  return Buffer.concat([head, content]);
}

export function encodeRecord(kind: FrameKind, record: object): Buffer {
  return encodeFrame(kind, Buffer.from(JSON.stringify(record)));
}

/** @throws P2cError `attach.frame`: what comes is no frame. */
export async function* decodeFrames(source: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of source) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= HEAD) {
      const kind = KINDS[rest.readUInt8()];
      const length = rest.readUInt32BE(1);
      if (kind === undefined || length > LONGEST) {
        throw new P2cError('the monitor of a container was spoken to in another language', { code: 'attach.frame' });
      }
      if (rest.length < HEAD + length) break;
      yield { kind, content: rest.subarray(HEAD, HEAD + length) };
      rest = rest.subarray(HEAD + length);
    }
  }
}
